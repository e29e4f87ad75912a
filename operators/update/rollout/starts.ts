import { spanMs } from '#operators/rollout/span.ts';
import type { UpdatePolicy } from './policy.ts';
import type { RolloutStatus } from './rollout-status.ts';

type Starts = NonNullable<RolloutStatus['starts']>;

/** A period is told in so many parts, so that what is kept of it is bounded. */
const PARTS = 32;

/** How many nodes may begin now; a part of the period counts until the last of it is past. */
export function roomInPeriod({ rollout: { maxUpdates } }: UpdatePolicy, starts: Starts, now: number): number {
  if (maxUpdates === undefined) return Infinity;
  const counted = current(starts, spanMs(maxUpdates.period), now);
  return Math.max(0, maxUpdates.count - counted.reduce((sum, { nodes }) => sum + nodes, 0));
}

/** What counts against `maxUpdates` after `started` more nodes began. */
export function afterStarts(
  { rollout: { maxUpdates } }: UpdatePolicy,
  starts: Starts,
  started: number,
  now: number,
): Starts {
  if (maxUpdates === undefined) return [];
  const period = Math.max(1, spanMs(maxUpdates.period));
  const partOf = (instant: number) => Math.floor((instant * PARTS) / period);
  const kept = current(starts, period, now);
  if (started === 0) return kept;
  const at = new Date(now).toISOString();
  const last = kept.at(-1);
  const isSamePart = last !== undefined && partOf(Date.parse(last.at)) === partOf(now);
  return isSamePart
    ? [...kept.slice(0, -1), { at, nodes: last.nodes + started }]
    : [...kept, { at, nodes: started }].slice(-PARTS - 1);
}

/** When room comes back, in ms since the epoch. */
export function nextRoomAt({ rollout: { maxUpdates } }: UpdatePolicy, starts: Starts): number | undefined {
  const [first] = starts;
  if (maxUpdates === undefined || first === undefined) return undefined;
  return Date.parse(first.at) + spanMs(maxUpdates.period);
}

function current(starts: Starts, period: number, now: number): Starts {
  return starts.filter(({ at }) => Date.parse(at) + period > now);
}
