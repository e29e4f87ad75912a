import { matches } from '#api/selector.ts';
import { orderKey } from '#operators/rollout/waves.ts';
import type { Machine } from '../store/machine.ts';
import type { Service } from './service.ts';

/** Names the order of a rollout: with another target, other machines come first. */
export function saltOf(group: string, target: string): string {
  return `${group}/${target}`;
}

/**
 * The wave of a machine, as an index into the policy's waves; one past the last is `rest`. Undefined: the leader has
 * not dealt the waves out yet. Once told, a machine's wave stays for the rollout, whatever becomes of the others.
 */
export function waveOf(
  service: Service,
  machine: Machine,
  labels: Readonly<Record<string, string>>,
): number | undefined {
  const { policy, rollout, group } = service;
  if (rollout === undefined) return undefined;
  if (machine.rollout?.target === rollout.target) return machine.rollout.wave;
  const { waves } = policy.rollout;
  if (waves.length === 0) return 0;
  if (rollout.waves === undefined) return undefined;
  const place = orderKey(saltOf(group, rollout.target), machine.id);
  const dealt = new Map(rollout.waves.map((wave) => [wave.name, wave.upTo]));
  const index = waves.findIndex(({ name, nodeSelector = {} }) => {
    const upTo = dealt.get(name);
    return upTo !== undefined && place <= upTo && matches(nodeSelector, labels);
  });
  return index < 0 ? waves.length : index;
}

/** Index of the last wave that is open; Infinity when all are. */
export function openWave({ policy, rollout }: Service): number {
  if (rollout?.wave === undefined) return Infinity;
  const index = policy.rollout.waves.findIndex(({ name }) => name === rollout.wave);
  return index < 0 ? Infinity : index;
}
