import type { Assignment, Candidate } from './chain.ts';
import type { NodeFacts } from './facts.ts';
import type { UpdatePolicy } from './policy.ts';
import { isBeyondReturn, isStaging } from './progress.ts';
import { shareOf } from '#operators/rollout/share.ts';

/** A node, and what a plan has decided over it so far. */
export interface Decided {
  node: NodeFacts;
  answer: Assignment | Candidate;
}

/** How many places a group has. All of them is no limit, also while one is met that is not counted yet. */
export function placesOf({ rollout: { maxStaging } }: UpdatePolicy, total: number): number {
  return maxStaging === '100%' ? Infinity : shareOf(maxStaging, total, 'down');
}

/**
 * How many places nodes hold. In a group of nodes alone, those that stage: a reboot is the reboot lock's to count. A node
 * that fell silent keeps its offer, but no place: it may never come back, and the others would wait.
 */
export function placesToStage(decided: readonly Decided[]): number {
  return decided.filter(stages).length;
}

/**
 * How many places nodes hold in a group that answers machines as well. A machine holds its place until it is back; so does a
 * node: those that stage count, those that are down, whoever took them down, and of those that wait for their reboot
 * as many as may be down at once (`mayBeDown`), since the reboot lock asks nobody when it lets one go.
 */
export function placesUntilBack(decided: readonly Decided[], mayBeDown: number): number {
  const up = decided.filter(({ node }) => !isDown(node));
  const down = decided.length - up.length;
  const waiting = up.filter(({ node, answer }) => answer.action === 'keep' && isStaged(node)).length;
  return up.filter(stages).length + Math.max(down, Math.min(down + waiting, mayBeDown));
}

function stages({ node, answer }: Decided): boolean {
  return answer.action === 'keep' && answer.verdict.reason === 'Offered' && isStaging(node);
}

/** As anybody can see it, or about to be: it has accepted its grant. */
function isDown(node: NodeFacts): boolean {
  return !node.ready || node.cordoned || isBeyondReturn(node);
}

function isStaged({ status }: NodeFacts): boolean {
  return status?.update?.phase === 'Staged';
}
