import type { Behaviour } from './model-disk.ts';

/** The agent's life is cut at its n-th effect on the world, just before or just after it. */
export interface Cut {
  effect: number;
  when: 'before' | 'after';
  /** `kill`: the process alone. `power`: the machine; the bootloader runs. */
  what: 'kill' | 'power';
}

/** What goes wrong while a machine updates. */
export interface Scenario {
  behaviour: Behaviour;
  cuts: readonly Cut[];
  /** The API server is away for so long from the given effect on. */
  away?: { from: number; ms: number } | undefined;
  /** Every n-th acceptance meets a write by somebody else. */
  conflicts?: boolean | undefined;
  /** The machine ignores so many requests to reboot. */
  deaf?: number | undefined;
  /** The wall clock is set by so much after the given effect. */
  jump?: { after: number; ms: number } | undefined;
  /** How long the API server takes to answer a write. */
  latencyMs?: number | undefined;
  /** Somebody writes into the staged slot, once, when the grant is given. */
  meddled?: boolean | undefined;
  /** The image says another version of itself than it was published as. */
  mislabelled?: boolean | undefined;
}
