import { EngineStore } from '../engine/engine-store.ts';
import { StoreError } from '../store-error.ts';
import type { MachineStore } from '../store.ts';
import { PostgresEngine } from './postgres-engine.ts';

export interface PostgresStoreOptions {
  /** `postgresql://user:password@host:port/database`, one for each server that may be the primary. */
  urls: readonly string[];
  /** The database's schema that holds the tables; made if it is missing. Default `careen_omaha`. */
  schema?: string | undefined;
  /** Connections at most. Default 4: one is for the requests, the others are for those who read. */
  poolSize?: number | undefined;
  /** As many machines are kept at most, within a few. Default 1 000 000. */
  maxMachines?: number | undefined;
}

/**
 * Opens the store in a PostgreSQL database, which any number of replicas may do. Rejects with a `StoreError`.
 * What is acknowledged survives the primary's end only where `synchronous_standby_names` names a standby.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<MachineStore> {
  const { urls, schema = 'careen_omaha', poolSize = 4, maxMachines = 1_000_000 } = options;
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new StoreError(
      'Foreign',
      `${schema} is no name of a schema: lower-case letters, digits and _ only`,
    );
  }
  const engine = new PostgresEngine({ urls, schema, poolSize: Math.max(2, poolSize) }, maxMachines);
  try {
    await engine.open();
  } catch (error) {
    await engine.close();
    throw error;
  }
  return new EngineStore(engine);
}
