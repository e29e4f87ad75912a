import { isDeepStrictEqual } from 'node:util';
import type { NodeGroupStatus } from '#api/node-group.ts';
import type { StatusChange } from '#operators/rollout/status-pace.ts';

export function statusChange(before: NodeGroupStatus | undefined, next: NodeGroupStatus): StatusChange {
  if (before === undefined) return 'story';
  if (isDeepStrictEqual(plain(before), plain(next))) return 'none';
  if (before.rollout?.target !== next.rollout?.target) return 'record';
  if (next.rollout?.halted !== undefined && before.rollout?.halted === undefined) return 'record';
  if (!isDeepStrictEqual(ledger(before), ledger(next))) return 'record';
  return isDeepStrictEqual(story(before), story(next)) ? 'counts' : 'story';
}

/** What decisions elsewhere, or the next one, rest on. */
function ledger({ rollout }: NodeGroupStatus): unknown {
  return plain([rollout?.starts ?? [], (rollout?.waves ?? []).map(({ upTo }) => upTo ?? '')]);
}

function story({ observedGeneration, total, rollout, history, conditions }: NodeGroupStatus): unknown {
  const said = (conditions ?? []).map(({ type, status, reason }) => [type, status, reason]);
  const waves = (rollout?.waves ?? []).map(({ name, doneAt }) => [name, doneAt]);
  const { target, wave, halted } = rollout ?? {};
  return plain({
    observedGeneration,
    total,
    rollout: [target, wave, halted?.reason, waves],
    history: (history ?? []).length,
    said: said.filter(([, status]) => status !== undefined),
  });
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
