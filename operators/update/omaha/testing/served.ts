import { join } from 'node:path';
import { Registry } from 'prom-client';
import { BlockList } from 'node:net';
import type { z } from 'zod';
import { nodeGroupSpec } from '#api/node-group.ts';
import { createLogger } from '#runtime/log/log.ts';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { readChannel } from '../../channel/read-channel.ts';
import type { RolloutStatus } from '../../rollout/rollout-status.ts';
import type { ClusterNode } from '../decide/choose-service.ts';
import type { Service } from '../decide/service.ts';
import type { Machine } from '../store/machine.ts';
import { openSqliteStore } from '../store/sqlite/open-sqlite-store.ts';
import type { MachineStore } from '../store/store.ts';
import { OmahaEndpoint, type EndpointOptions } from '../serve/endpoint.ts';
import { EndpointMetrics } from '../serve/endpoint-metrics.ts';

const FLATCAR = 'e96281a6-d1af-4bde-9a0a-97b76e56dc57';

type UpdateInput = NonNullable<z.input<typeof nodeGroupSpec>['update']>;

export interface GroupOptions {
  name?: string;
  priority?: number;
  update?: Omit<Partial<UpdateInput>, 'omaha'>;
  omaha?: Partial<NonNullable<UpdateInput['omaha']>>;
  /** Versions of the channel; by default 1.0.0 and 2.0.0. */
  releases?: readonly ReleaseOptions[];
  blocked?: readonly string[];
  rollout?: Partial<RolloutStatus> | undefined;
  closed?: Service['closed'];
  nodes?: number;
  failedNodes?: number;
}

export interface ReleaseOptions {
  version: string;
  floor?: boolean;
  floorReason?: string;
  architectures?: ('amd64' | 'arm64')[];
  extra?: boolean;
}

const DIGEST = 'EqYfThc/s6EcBdZHH3Ryj3YjG0pfzZZnzvOvh6OuTcI=';
const SHA1 = 'mAFznarkTsUpPU4fU9P00tQm2Rw=';

/** A group with its channel, whose rollout the leader has planned to the newest release. */
export function service(options: GroupOptions = {}): Service {
  const { name = 'edge', releases = [{ version: '1.0.0' }, { version: '2.0.0' }] } = options;
  const omaha = { appID: `{${FLATCAR}}`, tracks: ['stable'], ...options.omaha };
  const spec = nodeGroupSpec.parse({
    nodeSelector: {},
    update: { channel: 'stable', ...options.update, omaha },
  });
  const { update } = spec;
  if (update?.omaha === undefined) throw new Error('a group without omaha answers nobody');
  const { channel, invalid } = readChannel('stable', {
    source: { releases: releases.map(release) },
    keys: [`RW${'A'.repeat(54)}`],
    blocked: options.blocked ?? [],
  });
  const target =
    update.version ?? channel?.releases.find((one) => !channel.blocked.has(one.version))?.version;
  const planned = { target: target ?? '', startedAt: '2026-01-01T00:00:00Z', ...options.rollout };
  return {
    group: name,
    priority: options.priority ?? 0,
    policy: update,
    omaha: update.omaha,
    channel: channel ?? { missing: invalid },
    rollout: target === undefined ? undefined : planned,
    nodes: options.nodes ?? 0,
    failedNodes: options.failedNodes ?? 0,
    closed: options.closed,
  };
}

function release({
  version,
  floor = false,
  floorReason,
  architectures = ['amd64'],
  extra = false,
}: ReleaseOptions) {
  const packages = [
    { name: 'update.gz', size: 465_881_871, sha1: SHA1, sha256: DIGEST },
    ...(extra ? [{ name: 'oem-azure.gz', size: 7, sha1: SHA1, sha256: DIGEST, required: false }] : []),
  ];
  const builds = architectures.map((architecture) => ({
    architecture,
    codebases: [`https://mirror.example/${architecture}-usr/${version}/`],
    packages,
  }));
  return { version, floor, ...(floorReason === undefined ? {} : { floorReason }), builds };
}

/** An endpoint over real HTTP and a real store in a file, whose groups and clock the test holds in its hand. */
export class Served {
  services: Service[];
  nodes = new Map<string, ClusterNode>();
  /** ms since the epoch. */
  now = Date.parse('2026-03-01T12:00:00Z');
  readonly store: MachineStore;
  readonly url: string;
  readonly #endpoint: OmahaEndpoint;
  readonly #remove: () => Promise<void>;

  private constructor(
    store: MachineStore,
    services: Service[],
    options: Partial<EndpointOptions>,
    made: Made,
  ) {
    this.store = store;
    this.services = services;
    this.#remove = made.remove;
    this.url = '';
    this.#endpoint = new OmahaEndpoint({
      store,
      services: () => this.services,
      nodeOf: (id) => this.nodes.get(id),
      address: '127.0.0.1:0',
      trustedProxies: new BlockList(),
      perAddress: { burst: 0, perSecond: 0 },
      perMachine: { burst: 0, perSecond: 0 },
      maxConnections: 1000,
      log: createLogger({ level: 'warn', name: 'omaha-test' }),
      metrics: new EndpointMetrics(new Registry()),
      now: () => this.now,
      ...options,
    });
  }

  static async start(
    services: Service[] = [service()],
    options: Partial<EndpointOptions> = {},
  ): Promise<Served> {
    const made = await makeDirectory();
    const store = await openSqliteStore({ file: join(made.path, 'machines.db') });
    const served = new Served(store, services, options, made);
    const port = await served.#endpoint.listen();
    Object.assign(served, { url: `http://127.0.0.1:${port}` });
    return served;
  }

  async stop(): Promise<void> {
    await this.#endpoint.close();
    await this.store.close();
    await this.#remove();
  }

  post(
    body: string | Uint8Array,
    path = '/v1/update/',
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method: 'POST',
      body: typeof body === 'string' ? body : new Uint8Array(body),
      headers: { 'content-type': 'text/xml', ...headers },
    });
  }

  /** The text of an answer with status 200. */
  async ask(body: string, headers?: Record<string, string>): Promise<string> {
    const response = await this.post(body, '/v1/update/', headers);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`status ${response.status}: ${text}`);
    return text;
  }

  machine(id: string, app = FLATCAR): Promise<Machine | undefined> {
    return this.store.machine({ app, id });
  }
}

interface Made {
  path: string;
  remove: () => Promise<void>;
}

async function makeDirectory(): Promise<Made> {
  const directory = await guardedDirectory('careen-omaha-');
  return { path: directory.path, remove: () => directory.remove() };
}
