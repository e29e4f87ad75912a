import type { Grant } from '#api/node-state.ts';
import type { ConfigWanted } from '#api/node-config-state.ts';
import type { Stage } from '../transaction/contract.ts';
import type { ChangeMeta } from './change-meta.ts';
import type { ConfigFailure, ConfigRecord } from './config-record.ts';
import type { Probing } from './confirming.ts';

/** What a bundle would change here, as this process has found. */
export interface Drafted {
  hash: string;
  generation: number;
  needs: 'None' | 'Drain' | 'Reboot';
}

/** The change of files that is under way. */
export interface Changing {
  id: string;
  stage: Stage;
  meta: ChangeMeta;
  undoneByHost: boolean;
  /** Whether all that follows the change has been done. */
  acted: boolean;
  /** An action that failed as often as it may. */
  failed?: ConfigFailure | undefined;
}

/** Everything that the next step of the configuration follows from. */
export interface ConfigFacts {
  /** Milliseconds since 1970. */
  now: number;
  /** By a clock that nobody sets. */
  monotonicMs: number;
  bootID: string;
  /** Undefined: not heard of yet. */
  wanted: ConfigWanted | undefined;
  grant: Grant | undefined;
  /** What the update is at: nothing is begun then, or nothing is done at all. */
  update: 'Idle' | 'Trial' | 'GoingDown';
  /** An image waits for the same reboot; the machine is rebooted by the update then. */
  updateStaged: boolean;
  record: ConfigRecord;
  /** Of what is in force; undefined: nothing of careen's is on the disk. */
  applied: ChangeMeta | undefined;
  changing: Changing | undefined;
  draft: Drafted | undefined;
  /** Why `hash` could not be fetched or planned; tried again at `retryAt` by the clock that nobody sets, if at all. */
  trouble: { hash: string; generation: number; error: ConfigFailure; retryAt: number } | undefined;
  probing: Probing | undefined;
  /** When the host last agreed to reboot, by the clock that nobody sets. */
  rebootAskedAt: number | undefined;
  /** Why this host cannot be configured. */
  unsupported: string | undefined;
}

/** What is wanted, by the name that it has here: empty when all of careen's is to go. */
export function wantedHash({ wanted }: Pick<ConfigFacts, 'wanted'>): string {
  return wanted?.hash ?? '';
}

/** What is in force; empty: nothing. */
export function appliedHash({ applied }: Pick<ConfigFacts, 'applied'>): string {
  return applied?.hash ?? '';
}
