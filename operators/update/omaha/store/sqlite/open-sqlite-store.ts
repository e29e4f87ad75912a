import { EngineStore } from '../engine/engine-store.ts';
import type { MachineStore } from '../store.ts';
import { SqliteEngine } from './sqlite-engine.ts';

export interface SqliteStoreOptions {
  /** Made if it is missing; its directory is not. */
  file: string;
  /** As many machines are kept at most. Default 1 000 000. */
  maxMachines?: number | undefined;
}

/**
 * Opens the store in one file, for one process. Rejects with a `StoreError`.
 *
 * @example
 * const store = await openSqliteStore({ file: '/var/lib/careen/machines.db' });
 */
export async function openSqliteStore({
  file,
  maxMachines = 1_000_000,
}: SqliteStoreOptions): Promise<MachineStore> {
  return Promise.resolve(new EngineStore(new SqliteEngine(file, maxMachines)));
}
