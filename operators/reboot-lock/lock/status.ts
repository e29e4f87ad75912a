import { withConditions, type Condition } from '#api/conditions.ts';
import type { RebootLockStatus } from '#api/reboot-lock.ts';
import { budgetOf } from './budget.ts';
import type { Decision } from './decide.ts';
import type { Lock } from './lock.ts';
import type { Snapshot } from './snapshot.ts';

/** How many nodes a status names. */
const NAMED = 32;

/** The whole status of a lock after a decision. `lock` carries its next holders and its status before. */
export function lockStatus(lock: Lock, { waiting }: Decision, snapshot: Snapshot): RebootLockStatus {
  const budget = budgetOf(lock, snapshot.nodes);
  const others = budget.unavailable.filter(({ held }) => !held);
  const queue = waiting.filter(
    ({ locks, verdict }) => locks.includes(lock.name) && verdict.reason !== 'NotRequested',
  );
  const over = budget.unavailable.length - budget.max;
  return {
    ...lock.status,
    observedGeneration: lock.generation,
    max: budget.max,
    covered: budget.covered,
    holders: [...lock.holders],
    held: lock.holders
      .map(({ id }) => id)
      .join(' ')
      .slice(0, 1024),
    unavailable: others.slice(0, NAMED).map(({ node, why }) => ({ node, why })),
    waiting: queue.slice(0, NAMED).map(({ node, verdict, since }) => ({
      node,
      reason: verdict.reason,
      message: verdict.message.slice(0, 1024),
      since: new Date(since).toISOString(),
    })),
    waitingCount: queue.length,
    conditions: conditionsOf(lock, over, snapshot.now),
  };
}

function conditionsOf(lock: Lock, over: number, now: number): Condition[] {
  const observedGeneration = lock.generation;
  const said =
    lock.invalid === undefined
      ? [
          {
            type: 'Ready',
            status: 'True' as const,
            reason: 'Enforced',
            message: 'the budget is enforced',
            observedGeneration,
          },
        ]
      : stalled(lock.invalid, observedGeneration);
  if (over > 0 && lock.spec.topologyKey === undefined) {
    const message = `${over} more unavailable than allowed; nothing is granted until they are back`;
    said.push({ type: 'Overcommitted', status: 'True', reason: 'OverBudget', message, observedGeneration });
  }
  return withConditions(lock.status.conditions, said, new Date(now).toISOString());
}

function stalled(why: string, observedGeneration: number): Omit<Condition, 'lastTransitionTime'>[] {
  const message = `cannot be evaluated and counts as full: ${why}`.slice(0, 1024);
  const said = { reason: 'LockInvalid', message, observedGeneration };
  return [
    { type: 'Ready', status: 'False', ...said },
    { type: 'Stalled', status: 'True', ...said },
  ];
}

/** How soon a status must be written: at once, within a second (so that changes gather), or not at all. */
export function urgency(before: RebootLockStatus, next: RebootLockStatus): 'now' | 'soon' | 'never' {
  if (firm(before) !== firm(next) || corrected(before, next)) return 'now';
  return loose(before) === loose(next) ? 'never' : 'soon';
}

/** A last grant in the future is written anew as soon as it is seen, or minSeparation would count from each look. */
function corrected(before: RebootLockStatus, next: RebootLockStatus): boolean {
  if (before.lastGrant === undefined || next.lastGrant === undefined) return false;
  return Date.parse(next.lastGrant) < Date.parse(before.lastGrant);
}

function firm({ observedGeneration, holders = [], conditions = [] }: RebootLockStatus): string {
  const said = conditions
    .filter(({ type }) => type !== 'Overcommitted')
    .map(({ type, status }) => [type, status]);
  return JSON.stringify([observedGeneration, holders, said]);
}

function loose(status: RebootLockStatus): string {
  const { max, covered, unavailable = [], waiting = [], waitingCount = 0, conditions = [] } = status;
  // Messages count and date things; only another node or another reason is worth a write of its own.
  const asks = waiting.map(({ node, reason }) => [node, reason]);
  return JSON.stringify([max, covered, unavailable, asks, waitingCount, conditions.map(({ type }) => type)]);
}
