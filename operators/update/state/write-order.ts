import type { NodeFacts, WantedUpdate } from '../rollout/facts.ts';
import { failureOf } from '../rollout/progress.ts';

/** One write that is to be made. */
export interface Change {
  node: NodeFacts;
  next: WantedUpdate;
}

/** Changes in the order in which they must be made; within one stage the order is free. */
export interface Stages {
  /** Versions taken away from nodes that have not failed them. */
  withdrawals: Change[];
  /** Everything about nodes whose failure stands. */
  failures: Change[];
  /** Offers and holds. */
  rest: Change[];
}

/**
 * Orders writes so that a failure is judged before another node can reboot into the version. The reboot lock
 * gives the place of a failed node on as soon as that node's `spec.update` has changed; until then the place is
 * taken. So the version is first taken from all others, and only then does the failed node's own change.
 */
export function inStages(changes: readonly Change[]): Stages {
  const stages: Stages = { withdrawals: [], failures: [], rest: [] };
  for (const change of changes) {
    const { version } = change.node.wanted;
    if (hasFailed(change.node)) stages.failures.push(change);
    else if (version !== undefined && change.next.version !== version) stages.withdrawals.push(change);
    else stages.rest.push(change);
  }
  return stages;
}

function hasFailed(node: NodeFacts): boolean {
  const { version } = node.wanted;
  return version !== undefined && failureOf(node, version) !== undefined;
}
