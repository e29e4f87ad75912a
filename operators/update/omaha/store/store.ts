import type { Decide, Decision, Limit, Limits } from './decision.ts';
import type { GroupView } from './group-view.ts';
import type { Machine, MachineKey, Phase, Sighting } from './machine.ts';

/**
 * The machines outside the cluster: what each runs, which of them hold a place of their group's budget, what
 * failed where, and what happened. All instants are given, in ms since the epoch.
 *
 * What is acknowledged (its promise resolved) is on the medium, and survives the end of the process at any
 * instant. What is rejected (with a `StoreError`) may be asked again: nothing counts twice.
 */
export interface MachineStore {
  /**
   * One request of a machine: takes the sighting in, asks `decide` what becomes of the machine, and does it, in
   * one transaction with the group's budget and counters. A machine unknown so far is made. A deadline that has
   * passed is `decide`'s to judge (`vanished` says the usual thing); until it or `sweep` does, the place is held.
   */
  contact(key: MachineKey, sighting: Sighting, now: number, decide: Decide): Promise<Contact>;

  machine(key: MachineKey): Promise<Machine | undefined>;

  /**
   * Tells how many nodes of the cluster `held` places of the group, and asks for `more`: gives how many more may,
   * against the same limits as the machines' grants, and counts those as held.
   */
  holdNodes(group: string, held: number, more: number, limits: Limits, now: number): Promise<number>;

  group(name: string): Promise<GroupCounts>;
  groups(): Promise<string[]>;

  /** The ids of the group's machines that are not archived, sorted by app and id, in pages. */
  keys(group: string): AsyncIterable<readonly MachineKey[]>;

  /** Machines of the group, sorted by app and id, those after `after`. */
  machines(query: MachineQuery): Promise<Machine[]>;

  /** What happened, the newest first, before `before`. */
  history(query: HistoryQuery): Promise<HistoryRecord[]>;

  /** How versions and phases were spread at the instants at which `sweep` took samples, oldest first. */
  timeline(group: string, since: number, until: number): Promise<Sample[]>;

  /**
   * Expires grants past their deadline, archives machines that are silent, forgets what the policy no longer
   * keeps, takes samples; a bounded piece of it at a time. Gives what was done; `more` when there is more to do.
   */
  sweep(now: number, policy: SweepPolicy): Promise<Swept>;

  close(): Promise<void>;
}

/** What was committed. `machine.grant` is the grant in force, older or new. */
export interface Contact {
  machine: Machine;
  /** The limit that left no room for the grant that was asked for. */
  full?: Limit | undefined;
}

/** The group's counters with those that a decision does not need. */
export interface GroupCounts extends GroupView {
  /** Machines that are not archived, by the version that they run. */
  versions: Readonly<Record<string, number>>;
  /** Machines that wait, by reason. */
  holds: Readonly<Record<string, number>>;
}

export interface MachineQuery {
  group: string;
  phase?: Phase | undefined;
  version?: string | undefined;
  /** Of the rollout to `target`, those that stand so. */
  standing?: { target: string; outcome: string } | undefined;
  /** Default false. */
  archived?: boolean | undefined;
  after?: MachineKey | undefined;
  /** At most 1000. */
  limit: number;
}

export interface HistoryQuery {
  group?: string | undefined;
  machine?: MachineKey | undefined;
  /** The `sequence` of the last record of the page before. */
  before?: number | undefined;
  /** At most 1000. */
  limit: number;
}

export interface HistoryRecord extends MachineKey {
  /** Grows with each record; gaps mean nothing. */
  sequence: number;
  group: string;
  at: number;
  kind: string;
  message: string;
  code?: number | undefined;
  version?: string | undefined;
}

/** The counters of a group at an instant. */
export interface Sample {
  at: number;
  versions: Readonly<Record<string, number>>;
  phases: Readonly<Record<string, number>>;
}

export interface SweepPolicy {
  /** A machine that did not ask for so long is archived, in ms. */
  silentMs: number;
  /** An archived machine that did not ask for so long is forgotten, in ms. */
  forgetMs: number;
  /** History and samples older than this are forgotten, in ms. */
  historyMs: number;
  /** Of the history, as many records at most. */
  historyRecords: number;
  /** The time between two samples, in ms. */
  sampleMs: number;
  /** What becomes of a machine whose grant's deadline has passed. Default `vanished`. */
  expired?: ((machine: Machine, now: number) => Decision) | undefined;
  /** What becomes of a machine that is archived, beside that. Default `silent`. */
  archived?: ((machine: Machine, now: number) => Decision) | undefined;
}

export interface Swept {
  expired: number;
  archived: number;
  forgotten: number;
  /** Groups whose counters changed. */
  groups: readonly string[];
  more: boolean;
}
