import type { Grant } from '#api/node-state.ts';
import type { HealthGate } from '#api/health.ts';
import type { Armed, Failure, Staged } from '../record/record.ts';
import type { Stageable } from './facts.ts';

/** One step of the agent. Every one may be repeated: it ends in the same facts if it is. */
export type Step =
  /** Nothing to do before something changes, or `waitMs` have passed. */
  | { do: 'idle'; why: string; waitMs?: number }
  /** Begin to write the passive slot. */
  | { do: 'stage'; wanted: Stageable }
  /** Read the staged slot back: another process wrote it, or it is about to be booted by `grantID`. */
  | { do: 'recheck'; staged: Staged; grantID?: string }
  /** End the task that runs beside the loop. */
  | { do: 'stop'; why: string }
  /** Make the staged slot unselectable and forget it. */
  | { do: 'drop'; why: string }
  /** The target cannot be had; say so until another is asked for. */
  | { do: 'refuse'; version: string; attempt: number; error: Failure }
  /** Write to the API server that the grant is taken: the point of no return. */
  | { do: 'accept'; grant: Grant; staged: Staged; gate: HealthGate }
  /** Make the slot the next to boot, and reboot. */
  | { do: 'arm'; armed: Armed }
  /** The reboot is off: slot unselectable again. `error`: the machine did not do as told; `held`: somebody kept it from that. */
  | { do: 'disarm'; why: string; error?: Failure; held?: boolean }
  /** What runs is not good and not on record: put it on trial. */
  | { do: 'adopt'; partUUID: string; gate: HealthGate }
  /** Note that the trial of this boot began. */
  | { do: 'try'; armed: Armed }
  /** Run one round of the gate; `limitMs` is what is left of it, the next follows after `waitMs`. */
  | { do: 'check'; armed: Armed; limitMs: number; waitMs: number }
  /** The running slot boots from now on. `error`: it is not what was asked for. */
  | { do: 'markGood'; armed: Armed; error?: Failure | undefined }
  /** The gate is over and no other slot boots: the machine stays, and says so. */
  | { do: 'strand'; armed: Armed; error: Failure }
  /** Give the running slot up and reboot. */
  | { do: 'fallBack'; armed: Armed; error: Failure }
  /** Write down how it ended: the machine went back. */
  | { do: 'concludeRolledBack'; version: string; from?: string | undefined; attempt: number; error: Failure }
  /** Nothing was tried; what is staged is still there. */
  | { do: 'concludeNeverArmed' };
