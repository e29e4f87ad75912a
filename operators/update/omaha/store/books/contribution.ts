import type { Machine, RolloutOutcome } from '../machine.ts';

/**
 * A counter of a group, by name: `machines`, `archived`, `inProgress`, `phase:Idle`, `hold:Paused`,
 * `standing:["2.0.0",0,"failed"]`, `version:1.0.0`. Those of versions may be many; they sort last, so that a
 * transaction can leave them unread.
 */
export type Counter = string;

/** Every counter that a transaction needs sorts before this. */
export const FIRST_VERSION: Counter = 'version:';

/** The counters in which a machine counts one. Counters are the sums of these over all machines, always. */
export function contribution(machine: Machine): Counter[] {
  const standing = machine.rollout === undefined ? [] : [standingCounter(machine.rollout)];
  if (machine.archived) return ['archived', ...standing];
  const counters = ['machines', `phase:${machine.phase}`, `version:${machine.version}`, ...standing];
  if (machine.grant !== undefined) counters.push('inProgress');
  if (machine.hold !== undefined) counters.push(`hold:${machine.hold.reason}`);
  return counters;
}

function standingCounter({ target, wave, outcome }: NonNullable<Machine['rollout']>): Counter {
  return `standing:${JSON.stringify([target, wave, outcome])}`;
}

/** The standing that a counter counts. */
export function standingOf(counter: Counter): { target: string; wave: number; outcome: RolloutOutcome } {
  const parts = JSON.parse(counter.slice('standing:'.length)) as [string, number, RolloutOutcome];
  return { target: parts[0], wave: parts[1], outcome: parts[2] };
}
