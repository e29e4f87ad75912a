import { createHash } from 'node:crypto';
import { type Credentials, credentialsFrom, type ReadCredentials, type TlsIdentity } from './credentials.ts';
import type { Plugins } from './kubeconfig.ts';
import { newDispatcher } from './http.ts';
import { Pool } from './pool.ts';

/** What one request needs to reach the server: where, as whom, over which pool. */
export interface Route {
  server: string;
  headers: Record<string, string>;
  pool: Pool;
}

/** How long credentials are used before they are read again; a kubelet renews tokens long before they end. */
const FRESH_MS = 30_000;
/** How long requests in flight have to end when the connection is closed. */
const GRACE_MS = 250;

function fingerprint(tls: TlsIdentity): string {
  const { ca, cert, key, servername, rejectUnauthorized } = tls;
  return createHash('sha256')
    .update(JSON.stringify([ca, cert, key, servername, rejectUnauthorized]))
    .digest('hex');
}

/** Credentials, and one connection pool that is kept until the TLS identity changes. */
export class Connection {
  readonly #read: ReadCredentials;
  #credentials: { at: number; value: Promise<Credentials> } | undefined;
  #current: { fingerprint: string; pool: Pool } | undefined;

  /** `kubeconfig` is a path; without one the pod's own service account is used. Throws if there is neither. */
  constructor(kubeconfig?: string, plugins?: Plugins) {
    this.#read = credentialsFrom(kubeconfig, plugins);
  }

  async route(): Promise<Route> {
    const credentials = await this.#fresh();
    const { server, headers } = credentials;
    return { server, headers, pool: this.#pooled(credentials) };
  }

  /** Reads tokens and kubeconfig again for the next request, as after a 401. */
  reload(): void {
    this.#credentials = undefined;
  }

  /**
   * Abandons the pool, as after a request that got no answer: the next one opens a new connection. What is in
   * flight on the old one, watches too, may end by itself.
   */
  renew(): void {
    this.#current?.pool.retire();
    this.#current = undefined;
  }

  /** Ends every connection; requests in flight have a moment to end by themselves, then they fail. */
  async close(): Promise<void> {
    const pool = this.#current?.pool;
    this.#current = undefined;
    await pool?.close(GRACE_MS);
  }

  #fresh(): Promise<Credentials> {
    const now = performance.now();
    const known = this.#credentials;
    if (known !== undefined && now - known.at < FRESH_MS) return known.value;
    const value = this.#read();
    this.#credentials = { at: now, value };
    value.catch(() => this.reload());
    return value;
  }

  #pooled({ tls, dispatcher }: Credentials): Pool {
    const wanted = fingerprint(tls);
    if (this.#current?.fingerprint !== wanted) {
      this.renew();
      this.#current = { fingerprint: wanted, pool: new Pool(dispatcher?.() ?? newDispatcher(tls)) };
    }
    return this.#current.pool;
  }
}
