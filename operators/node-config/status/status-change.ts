import { isDeepStrictEqual } from 'node:util';
import type { NodeConfigStatus } from '#api/node-config.ts';
import type { StatusChange } from '#operators/rollout/status-pace.ts';

/** How much the status of a NodeConfig changed. */
export function statusChange(before: NodeConfigStatus | undefined, next: NodeConfigStatus): StatusChange {
  if (before === undefined) return 'story';
  if (isDeepStrictEqual(plain(before), plain(next))) return 'none';
  if (before.rollout?.hash !== next.rollout?.hash) return 'record';
  if ((before.rollout?.halted === undefined) !== (next.rollout?.halted === undefined)) return 'record';
  return isDeepStrictEqual(story(before), story(next)) ? 'counts' : 'story';
}

function story({ observedGeneration, total, rollout, conditions, conflicts }: NodeConfigStatus): unknown {
  const said = (conditions ?? []).map(({ type, status, reason }) => [type, status, reason]);
  const waves = (rollout?.waves ?? []).map(({ name, doneAt }) => [name, doneAt]);
  const things = (conflicts ?? []).map((one) => [one.what, one.with]);
  return plain([observedGeneration, total, rollout?.wave, rollout?.planHash, waves, things, said]);
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
