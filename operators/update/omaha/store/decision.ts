import type { FailureKind, Grant, Hold, Machine, Phase, ReportedError, RolloutStanding } from './machine.ts';
import type { GroupView } from './group-view.ts';

/** The limits that a new grant must respect. They are checked when it is committed, in the same transaction. */
export interface Limits {
  /** Machines and nodes of the cluster that hold a place, together. */
  inProgress: number;
  /** Places given within the last `ms` milliseconds, to machines and nodes together. */
  period?: { count: number; ms: number } | undefined;
  /** No grant once this many machines have failed `target`, so that a halt bites with the very next request. */
  failures?: { target: string; count: number } | undefined;
}

export type Limit = 'inProgress' | 'period' | 'failures';

/** An entry for a machine's history and its group's activity. */
export interface HistoryEntry {
  /** A word, such as `Granted` or `Failed`. */
  kind: string;
  message: string;
  code?: number | undefined;
  version?: string | undefined;
}

/** A grant that is asked for. Its `at` is set when it is made. */
export interface WantedGrant extends Omit<Grant, 'at'> {
  limits: Limits;
}

/**
 * What becomes of a machine. What is absent stays as it is; null clears.
 *
 * A `grant` of the version that the machine holds already, in the same group, is the same grant: no limit is
 * asked, and only its deadline becomes the one given. A grant of another version keeps the place, but must
 * have room in `period` and `failures`.
 */
export interface Decision {
  phase?: Phase | undefined;
  hold?: Hold | null | undefined;
  error?: ReportedError | null | undefined;
  /** Adds one to the failures of the version. */
  failure?: { version: string; code: number; kind: FailureKind } | undefined;
  rollout?: RolloutStanding | null | undefined;
  /** Gives the place back, before `grant` is looked at. */
  release?: boolean | undefined;
  grant?: WantedGrant | undefined;
  /** The hold, and the history, of a machine whose grant has no room. It is then in phase `Waiting`. */
  full?: ((limit: Limit) => { hold: Hold; history?: readonly HistoryEntry[] }) | undefined;
  /** Kept when no grant was asked for or it was made. */
  history?: readonly HistoryEntry[] | undefined;
}

/**
 * Decides over a machine, as it is with the new sighting already in it, in the midst of a transaction: without
 * a side effect, and at once. It is called again where the transaction is tried again, also when only the reply
 * of the database was lost: what a request does must be the same the second time. `movedFrom` is the machine's
 * group of before, where this request is its first in another one.
 */
export type Decide = (machine: Machine, group: GroupView, movedFrom?: string) => Decision;
