import type { NodeGroupStatus } from '#api/node-group.ts';
import { isComplete } from './rollout-history.ts';

/** One event on a NodeGroup. `result` is set when a rollout ended with it. */
export interface Announcement {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  result?: 'Complete' | 'Halted' | 'Superseded';
}

/** What happened between two written statuses of a group, in the order in which it is to be told. */
export function announcements(before: NodeGroupStatus | undefined, next: NodeGroupStatus): Announcement[] {
  const told = [...started(before, next), ...halted(before, next), ...waves(before, next)];
  const known = new Set((before?.history ?? []).map(({ version, startedAt }) => `${version} ${startedAt}`));
  for (const { version, startedAt, result } of next.history ?? []) {
    if (result !== 'Complete' || known.has(`${version} ${startedAt}`)) continue;
    const message = condition(next, 'Complete') ?? `${version} has arrived`;
    told.push({ type: 'Normal', reason: 'RolloutComplete', message, result });
  }
  const conflict = condition(next, 'Conflict');
  if (conflict !== undefined && condition(before, 'Conflict') === undefined) {
    told.push({ type: 'Warning', reason: 'GroupConflict', message: conflict });
  }
  return told;
}

function started(before: NodeGroupStatus | undefined, next: NodeGroupStatus): Announcement[] {
  const target = next.rollout?.target;
  const last = before?.rollout;
  if (target === undefined || last?.target === target) return [];
  const told: Announcement[] = [];
  if (last !== undefined && !isComplete(before) && last.halted === undefined) {
    const message = `${last.target} gives way to ${target}`;
    told.push({ type: 'Normal', reason: 'RolloutSuperseded', message, result: 'Superseded' });
  }
  if (next.upToDate === next.total) return told;
  return [...told, { type: 'Normal', reason: 'RolloutStarted', message: `Rolling out ${target}` }];
}

function halted(before: NodeGroupStatus | undefined, next: NodeGroupStatus): Announcement[] {
  const halt = next.rollout?.halted;
  const last = before?.rollout?.target === next.rollout?.target ? before?.rollout?.halted : undefined;
  if (halt !== undefined && last === undefined) {
    const message = `${halt.reason}: ${halt.nodes.join(', ')}`;
    return [{ type: 'Warning', reason: 'RolloutHalted', message, result: 'Halted' }];
  }
  if (halt !== undefined || last === undefined) return [];
  return [{ type: 'Normal', reason: 'RolloutResumed', message: `${next.rollout?.target ?? ''} goes on` }];
}

function waves(before: NodeGroupStatus | undefined, next: NodeGroupStatus): Announcement[] {
  const last = before?.rollout?.target === next.rollout?.target ? before?.rollout?.waves : undefined;
  const done = (next.rollout?.waves ?? []).filter(
    ({ name, nodes, doneAt }) =>
      nodes > 0 && doneAt !== undefined && last?.find((wave) => wave.name === name)?.doneAt === undefined,
  );
  if (last === undefined) return [];
  return done.map(({ name }) => ({ type: 'Normal', reason: 'WaveDone', message: `Wave ${name} is done` }));
}

function condition(status: NodeGroupStatus | undefined, type: string): string | undefined {
  return status?.conditions?.find((one) => one.type === type && one.status === 'True')?.message;
}
