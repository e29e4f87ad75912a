import type { NodeConfigStatus } from '#api/node-config.ts';

/** One event on a NodeConfig. `result` is set when a rollout ended with it. */
export interface Announcement {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  result?: 'Complete' | 'Halted' | 'Superseded';
}

/** What happened between two written statuses of a config, in the order in which it is to be told. */
export function announcements(before: NodeConfigStatus | undefined, next: NodeConfigStatus): Announcement[] {
  const last = before?.rollout?.hash === next.rollout?.hash ? before : undefined;
  return [
    ...started(before, last, next),
    ...halted(last, next),
    ...waves(last, next),
    ...turned(last, next, 'Complete', 'RolloutComplete'),
    ...turned(before, next, 'Conflict', 'Conflicted'),
    ...approval(before, next),
  ];
}

type Status = NodeConfigStatus | undefined;

function started(before: Status, last: Status, next: NodeConfigStatus): Announcement[] {
  if (next.rollout === undefined || last !== undefined) return [];
  const isOpen = before?.rollout !== undefined && !holds(before, 'Complete') && !holds(before, 'Halted');
  const told: Announcement[] = isOpen
    ? [
        {
          type: 'Normal',
          reason: 'RolloutSuperseded',
          message: 'Another change takes its place',
          result: 'Superseded',
        },
      ]
    : [];
  if (next.upToDate === next.total) return told;
  return [...told, { type: 'Normal', reason: 'RolloutStarted', message: `A change for ${next.total} nodes` }];
}

function halted(last: Status, next: NodeConfigStatus): Announcement[] {
  const halt = next.rollout?.halted;
  if ((halt === undefined) === (last?.rollout?.halted === undefined)) return [];
  if (halt === undefined)
    return [{ type: 'Normal', reason: 'RolloutResumed', message: 'The rollout goes on' }];
  const message = `${halt.reason}: ${halt.nodes.join(', ')}`;
  return [{ type: 'Warning', reason: 'RolloutHalted', message, result: 'Halted' }];
}

function waves(last: Status, next: NodeConfigStatus): Announcement[] {
  if (last === undefined) return [];
  const known = new Map((last.rollout?.waves ?? []).map(({ name, doneAt }) => [name, doneAt]));
  const done = (next.rollout?.waves ?? []).filter(
    ({ name, nodes, doneAt }) => nodes > 0 && doneAt !== undefined && known.get(name) === undefined,
  );
  return done.map(({ name }) => ({ type: 'Normal', reason: 'WaveDone', message: `Wave ${name} is done` }));
}

function turned(
  before: Status,
  next: NodeConfigStatus,
  type: 'Complete' | 'Conflict',
  reason: string,
): Announcement[] {
  const message = holds(next, type);
  if (message === undefined || holds(before, type) !== undefined || next.total === 0) return [];
  if (type === 'Conflict') return [{ type: 'Warning', reason, message }];
  return [{ type: 'Normal', reason, message, result: 'Complete' }];
}

function approval(before: Status, next: NodeConfigStatus): Announcement[] {
  const said = waits(next);
  if (said === undefined || said === waits(before)) return [];
  return [{ type: 'Normal', reason: 'ApprovalNeeded', message: said }];
}

function waits(status: Status): string | undefined {
  return status?.conditions?.find(({ reason }) => reason === 'ApprovalNeeded')?.message;
}

function holds(status: Status, type: string): string | undefined {
  return status?.conditions?.find((one) => one.type === type && one.status === 'True')?.message;
}
