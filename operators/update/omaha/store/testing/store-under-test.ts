import type { MachineStore } from '../store.ts';

/** A store of some kind, empty, for one test. */
export interface StoreUnderTest {
  store: MachineStore;
  /** Closes the store and opens it again on the same data. */
  reopen: () => Promise<MachineStore>;
}

/** Makes an empty store. The test's file removes it. */
export type MakeStore = (options?: { maxMachines?: number }) => Promise<StoreUnderTest>;
