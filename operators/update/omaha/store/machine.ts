/** A machine outside the cluster, as an app of it is known to an update server. Both parts are canonical already. */
export interface MachineKey {
  /** Application id: lower case, without braces. */
  app: string;
  /** Machine id, at most 128 characters. */
  id: string;
}

/** What a request tells of its machine. What is undefined or empty never clears what an earlier one told. */
export interface Sighting {
  group: string;
  version: string;
  track: string;
  arch: string;
  board?: string | undefined;
  oem?: string | undefined;
  oemVersion?: string | undefined;
  alias?: string | undefined;
  alephVersion?: string | undefined;
  bootID?: string | undefined;
  address: string;
}

/** The phases in which a machine holds a place of its group's budget, in the order in which they follow. */
export const PHASES_IN_PROGRESS = ['Granted', 'Downloading', 'Downloaded', 'Installed'] as const;

/** `Idle`: never involved. `Waiting`: held back. The last three are ends. */
export const PHASES = ['Idle', 'Waiting', ...PHASES_IN_PROGRESS, 'Complete', 'Failed', 'RolledBack'] as const;

export type Phase = (typeof PHASES)[number];

/** Why a machine was told that there is no update. */
export interface Hold {
  reason: string;
  message: string;
  /** ms since the epoch. */
  since: number;
}

/** A place of the budget, and the version that the machine is given with it. */
export interface Grant {
  version: string;
  /** The rollout's target: another version than `version` where a floor is passed on the way. */
  target: string;
  /** ms since the epoch. */
  at: number;
  /** When the machine counts as vanished, in ms since the epoch. */
  deadline: number;
}

export type FailureKind = 'install' | 'rollback' | 'vanished';

/** How often a version failed on a machine. A rollback quarantines it there; what the others mean is policy. */
export interface VersionFailure {
  version: string;
  times: number;
  /** The last time, in ms since the epoch. */
  at: number;
  /** The client's error code without flags; 0 where the machine said none. */
  code: number;
  /** The last one, but `rollback` stays: a later failure to install does not lift a quarantine. */
  kind: FailureKind;
}

export type RolloutOutcome = 'pending' | 'succeeded' | 'failed' | 'accepted' | 'ineligible';

/** Where a machine stands in its group's rollout. */
export interface RolloutStanding {
  target: string;
  wave: number;
  outcome: RolloutOutcome;
}

/** The last error event, decoded. */
export interface ReportedError {
  code: number;
  flags: number;
  /** ms since the epoch. */
  at: number;
}

/** All that is kept of one machine. */
export interface Machine extends MachineKey, Sighting {
  /** ms since the epoch. */
  firstSeen: number;
  /** ms since the epoch, to the minute: a machine that asks more often does not cost a write each time. */
  lastSeen: number;
  /** Silent for so long that it is no longer counted among the group's machines. Its next request brings it back. */
  archived: boolean;
  phase: Phase;
  /** When the phase began, in ms since the epoch. */
  since: number;
  hold?: Hold | undefined;
  /** Held from the grant to the end of the attempt; where it is absent, the machine holds no place. */
  grant?: Grant | undefined;
  error?: ReportedError | undefined;
  /** The newest first, at most `MOST_FAILURES` versions. */
  failures: readonly VersionFailure[];
  rollout?: RolloutStanding | undefined;
}

/** Of how many versions a machine's failures are kept. */
export const MOST_FAILURES = 8;
