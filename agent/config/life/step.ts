import type { Grant } from '#api/node-state.ts';
import type { ConfigFailure, ConfigRequest } from './config-record.ts';

/** One step of the configuration. Every one may be repeated: it ends in the same facts if it is. */
export type ConfigStep =
  /** Nothing to do before something changes, or `waitMs` have passed. */
  | { do: 'idle'; why: string; waitMs?: number }
  /** Fetch what is wanted, and find out what it would change here. */
  | { do: 'draft' }
  /** It cannot be had here; not tried again by itself. */
  | { do: 'refuse'; error: ConfigFailure }
  /** Ask for a drain or a reboot. */
  | { do: 'request'; request: ConfigRequest }
  /** Ask for it no more. */
  | { do: 'withdraw' }
  /** Write to the API server that the grant is taken: the point of no return. */
  | { do: 'accept'; grant: Grant }
  /** Change the files. */
  | { do: 'apply' }
  /** Do the next thing that follows from the change. */
  | { do: 'act' }
  | { do: 'reboot' }
  /** One round of probes, then wait so long. */
  | { do: 'probe'; waitMs: number }
  /** It counts from now on. */
  | { do: 'keep' }
  /** The files are put back. */
  | { do: 'revert'; error: ConfigFailure }
  /** The files are back; so becomes all that followed from them. */
  | { do: 'conclude' };
