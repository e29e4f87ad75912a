import type { Phase, RolloutOutcome } from './machine.ts';

/** So many machines of a rollout stand so. */
export interface StandingCount {
  target: string;
  wave: number;
  outcome: RolloutOutcome;
  machines: number;
}

/**
 * What a decision may know of the machine's group: counters, kept with each write and so as cheap at any size.
 * They are as they were before the request.
 */
export interface GroupView {
  /** Machines that are not archived. */
  machines: number;
  archived: number;
  byPhase: Readonly<Partial<Record<Phase, number>>>;
  /** Places held by machines outside the cluster. */
  inProgress: number;
  /** Places held by nodes of the cluster, as `holdNodes` was last told. */
  nodes: number;
  /** Archived machines are among them: one that the rollout waited for has failed. */
  standings: readonly StandingCount[];
}
