import { Pool, types, type PoolClient, type PoolConfig } from 'pg';
import { StoreError } from '../store-error.ts';
import { postgresError, remedyOf } from './postgres-error.ts';

const CONNECT_MS = 3000;
/** A query that takes longer has lost its server. */
const QUERY_MS = 15_000;
const INT8 = 20;

export interface PrimaryOptions {
  /** One for each server that may be the primary, in the order in which they are tried. */
  urls: readonly string[];
  schema: string;
  poolSize: number;
}

/**
 * Connections to the server that takes writes. When it goes down, the servers are asked anew which of them does:
 * a standby that was promoted is found by itself.
 */
export class Primary {
  readonly #options: PrimaryOptions;
  #pool: Promise<Pool> | undefined;

  constructor(options: PrimaryOptions) {
    this.#options = options;
  }

  /** Runs `act` on a connection; one on which it failed is not used again. */
  async use<T>(act: (client: PoolClient) => Promise<T>): Promise<T> {
    const pool = await this.#current();
    let client: PoolClient | undefined;
    try {
      client = await pool.connect();
      const value = await act(client);
      client.release();
      return value;
    } catch (error) {
      client?.release(true);
      if (remedyOf(error) === 'elsewhere') this.#drop(pool);
      throw error;
    }
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.then((found) => found.end()).catch(() => {}); // none was found
  }

  /** Looks for the primary anew with the next use, if nobody has since. */
  #drop(pool: Pool): void {
    void this.#pool?.then((current) => {
      if (current !== pool) return;
      this.#pool = undefined;
      void pool.end();
    });
  }

  async #current(): Promise<Pool> {
    this.#pool ??= this.#find();
    const found = this.#pool;
    try {
      return await found;
    } catch (error) {
      if (this.#pool === found) this.#pool = undefined;
      throw error;
    }
  }

  async #find(): Promise<Pool> {
    const errors: unknown[] = [];
    for (const url of this.#options.urls) {
      const pool = new Pool(this.#configOf(url));
      // A connection that ends between two queries: the next one tells.
      pool.on('error', () => {}).on('connect', (client) => client.on('error', () => {}));
      try {
        const { rows } = await pool.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
        if (rows[0]?.standby === false) return pool;
        errors.push(new StoreError('Unavailable', 'PostgreSQL: only standbys answer'));
      } catch (error) {
        errors.push(error);
      }
      void pool.end();
    }
    throw postgresError(errors.at(-1) ?? new Error('no server is named'));
  }

  /**
   * No `statement_timeout`: it would end the wait of a COMMIT for its synchronous standby, with success. Locks,
   * transactions that somebody left open, and `synchronous_commit` are the sessions' own.
   */
  #configOf(url: string): PoolConfig {
    const { schema, poolSize } = this.#options;
    const settings = [`search_path=${schema}`, 'lock_timeout=5s', 'idle_in_transaction_session_timeout=10s'];
    return {
      connectionString: url,
      max: poolSize,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: QUERY_MS,
      keepAlive: true,
      application_name: 'careen',
      options: [...settings, 'synchronous_commit=on'].map((setting) => `-c ${setting}`).join(' '),
      types: {
        getTypeParser: ((oid: number, format?: 'text') =>
          oid === INT8 ? Number : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
      },
    };
  }
}
