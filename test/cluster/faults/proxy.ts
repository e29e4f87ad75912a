import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { parse } from 'yaml';
import { kubeconfig as kubeconfigText } from '../kubeconfig.ts';
import { Authority } from '../pki.ts';
import { type Armed, Arsenal } from './armed.ts';
import { type FaultKind, fits, type Match, type Rule, type Seen } from './fault.ts';
import { commonName, tokenSubject } from './identity.ts';
import { act } from './act.ts';
import { drop, type Upstream } from './forward.ts';

/** One request that came through, and how it went. */
export interface Passage extends Seen {
  fault: FaultKind | undefined;
  /** Of the answer that the client got; 0 when it got none, or none yet. */
  readonly status: number;
}

/** A reverse proxy before the API server that spoils what it is told to spoil, and counts everything. */
export interface FaultProxy {
  readonly url: string;
  /** Of the proxy's own authority; clients must trust it. */
  readonly caPem: string;
  /**
   * Every request so far, in the order in which they came. One is in here before anything of its answer is on
   * its way: who has the answer finds the request counted.
   */
  readonly records: readonly Passage[];
  fault(rule: Rule): Armed;
  /** Takes every fault back. */
  clear(): void;
  /** How many of the requests so far fit. */
  count(match: Match): number;
  /** How many watches are open now. */
  openWatches(): number;
  /** Breaks the open watches that fit; returns how many. */
  breakWatches(match?: Match): number;
  /** Writes a kubeconfig that leads through the proxy with the credentials of another one; returns its path. */
  kubeconfig(from: string, name?: string): Promise<string>;
  close(): Promise<void>;
}

export interface FaultProxyOptions {
  /** The API server, `https://127.0.0.1:6443`. */
  url: string;
  caPem: string;
  /** Where kubeconfigs are written. */
  directory: string;
  /** For `probability`; give a seeded one to repeat a run. */
  random?: (() => number) | undefined;
}

/**
 * Starts a proxy in front of a cluster's API server.
 *
 * @example
 * const proxy = await startFaultProxy(cluster);
 * const client = KubeClient.load({ kubeconfig: await proxy.kubeconfig(cluster.kubeconfig), userAgent: 'test' });
 * proxy.fault({ kind: 'drop-after', match: { method: 'PUT', path: /leases/ }, times: 1 });
 */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const authority = await Authority.create('careen faults');
  const server = createServer(await authority.issueServer({ dns: ['localhost'], ip: ['127.0.0.1'] }));
  // Else it would hang up on who has been silent for some seconds, and break a request that was just on its way.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new ApiProxy(options, authority.certPem, server);
}

/** Credentials that cannot pass through TLS twice, behind the token that stands for them here. */
interface Certified {
  user: string;
  agent: Agent;
}

interface OpenWatch {
  seen: Seen;
  response: ServerResponse;
}

class ApiProxy implements FaultProxy {
  readonly url: string;
  readonly caPem: string;
  readonly records: Passage[] = [];
  readonly #options: FaultProxyOptions;
  readonly #server: Server;
  readonly #arsenal: Arsenal;
  readonly #anonymous: Agent;
  readonly #certified = new Map<string, Certified>();
  readonly #watches = new Set<OpenWatch>();

  constructor(options: FaultProxyOptions, caPem: string, server: Server) {
    this.#options = options;
    this.#arsenal = new Arsenal(options.random);
    this.#anonymous = new Agent({ keepAlive: true, ca: options.caPem });
    this.#server = server;
    this.caPem = caPem;
    this.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => {
      this.#serve(request, response).catch(() => drop(response));
    });
  }

  fault(rule: Rule): Armed {
    return this.#arsenal.add(rule);
  }

  clear(): void {
    this.#arsenal.clear();
  }

  count(match: Match): number {
    return this.records.filter((record) => fits(match, record)).length;
  }

  openWatches(): number {
    return this.#watches.size;
  }

  breakWatches(match: Match = {}): number {
    const broken = [...this.#watches].filter(({ seen }) => fits(match, seen));
    for (const { response } of broken) drop(response);
    return broken.length;
  }

  async kubeconfig(from: string, name?: string): Promise<string> {
    const credential = await this.#credential(from);
    const file = path.join(
      this.#options.directory,
      `${name ?? randomBytes(4).toString('hex')}.proxied.kubeconfig`,
    );
    await writeFile(file, kubeconfigText(this, credential), { mode: 0o600 });
    return file;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    this.#anonymous.destroy();
    for (const { agent } of this.#certified.values()) agent.destroy();
    await closed;
  }

  /** Tokens go through as they are; a client certificate is presented by the proxy for a token of its own. */
  async #credential(from: string): Promise<{ token: string } | { tokenFile: string }> {
    const config = parse(await readFile(from, 'utf8')) as { users: { user: { [key: string]: string } }[] };
    const user = config.users[0]?.user ?? {};
    if (user['token'] !== undefined) return { token: user['token'] };
    if (user['tokenFile'] !== undefined) return { tokenFile: user['tokenFile'] };
    const cert = decoded(user['client-certificate-data']);
    const token = randomBytes(24).toString('hex');
    const agent = new Agent({
      keepAlive: true,
      ca: this.#options.caPem,
      cert,
      key: decoded(user['client-key-data']),
    });
    this.#certified.set(`Bearer ${token}`, { user: commonName(cert), agent });
    return { token };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const certified = this.#certified.get(request.headers.authorization ?? '');
    const seen = seenOf(request, certified?.user);
    const rule = this.#arsenal.strike(seen);
    const open = { seen, response };
    if (seen.watch) this.#watches.add(open);
    const passage = { ...seen, fault: rule?.kind, status: 0 };
    this.records.push(passage);
    response.on('close', () => {
      this.#watches.delete(open);
      if (response.headersSent) passage.status = response.statusCode;
    });
    const to: Upstream = {
      url: this.#options.url,
      agent: certified?.agent ?? this.#anonymous,
      certified: !!certified,
    };
    await act(rule, request, response, to);
  }
}

function seenOf(request: IncomingMessage, certifiedUser: string | undefined): Seen {
  const url = new URL(request.url ?? '/', 'https://proxy');
  const watch = url.searchParams.get('watch');
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    watch: watch === 'true' || watch === '1',
    user: certifiedUser ?? tokenSubject(request.headers.authorization),
    userAgent: request.headers['user-agent'] ?? '',
  };
}

function decoded(base64: string | undefined): string {
  if (base64 === undefined)
    throw new Error('the kubeconfig has neither a token nor an embedded client certificate');
  return Buffer.from(base64, 'base64').toString('utf8');
}
