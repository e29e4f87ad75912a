import type { SlotStatus } from '#api/node-state.ts';
import type { Medium } from './medium.ts';

/** A machine's slots and what its bootloader would do with them, read from the disk just now. */
export interface EngineStatus {
  /** In the order of the disk. Version and digest are the agent's to add. */
  slots: SlotStatus[];
  /** Names of slots (`USR-A`). */
  running: string;
  passive: string;
  /** The slot that the bootloader would choose now; none: the machine would not boot. */
  next?: string;
  /** The slot that it would choose if `next` were given up. */
  fallback?: string;
  /** Identity of the disk, to be pinned. */
  diskID: string;
  /** One of the two copies of the slot table is bad or stale; `repair` mends it. */
  damaged: boolean;
}

/** A slot opened for writing, exclusively where the system can do that. */
export interface SlotTarget {
  readonly name: string;
  readonly partUUID: string;
  readonly medium: Medium;
  /** Makes the slot unselectable, safely on disk when it returns; must be called before the first byte. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/**
 * How a machine switches between its two slots; one implementation for each way of doing that.
 * Everything is derived from the disk at each call, every step may be repeated, and at no instant is there
 * no slot that boots. All methods throw `SlotError`.
 */
export interface SlotEngine {
  readonly kind: 'gpt';
  status(): Promise<EngineStatus>;
  /** Mends a bad or stale copy of the slot table; returns whether there was one. */
  repair(): Promise<boolean>;
  /** Opens the passive slot, or the one named; the running one is refused. Writes nothing. */
  open(name?: string): Promise<SlotTarget>;
  /** Makes the passive slot unselectable. */
  clear(): Promise<void>;
  /** Makes the passive slot the next to boot, for `tries` (1–15) boots unless it is marked good. */
  arm(tries: number): Promise<void>;
  /** Undoes `arm`, or tidies up after a slot that used up its tries: passive unselectable, running first. */
  disarm(): Promise<void>;
  /** The running slot has passed its gate: it boots from now on. */
  markGood(): Promise<void>;
  /** Gives the running slot up: unselectable, the passive one first. The caller reboots. */
  fallBack(): Promise<void>;
}
