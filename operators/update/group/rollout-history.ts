import type { NodeGroupStatus } from '#api/node-group.ts';
import type { Plan } from '../rollout/plan.ts';

type Ended = NonNullable<NodeGroupStatus['history']>[number];

const MOST = 10;

/**
 * The rollouts that ended, newest first. A rollout ends when it is complete, or when another target takes its
 * place; one that completed is not entered again when a node joins later and has to catch up.
 */
export function rolloutHistory(before: NodeGroupStatus | undefined, plan: Plan, now: string): Ended[] {
  const history = before?.history ?? [];
  const last = before?.rollout;
  const { rollout } = plan;
  const entries: Ended[] = [];
  // One that was complete is entered already, or had nothing to do.
  if (last !== undefined && rollout !== undefined && last.target !== rollout.target && !isComplete(before)) {
    const result = last.halted === undefined ? 'Superseded' : 'Halted';
    entries.push({ version: last.target, startedAt: last.startedAt, endedAt: now, result });
  }
  // A group whose nodes ran the target when it was first seen has rolled out nothing.
  const wasComplete = last?.target === rollout?.target && isComplete(before);
  if (plan.complete && rollout !== undefined && last !== undefined && !wasComplete) {
    const { target, startedAt } = rollout;
    entries.unshift({ version: target, startedAt, endedAt: now, result: 'Complete' });
  }
  const isNew = (entry: Ended) =>
    !history.some(({ version, startedAt }) => version === entry.version && startedAt === entry.startedAt);
  return [...entries.filter(isNew), ...history].slice(0, MOST);
}

export function isComplete(status: NodeGroupStatus | undefined): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Complete' && is === 'True') ?? false;
}
