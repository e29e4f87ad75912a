import type { Outcome } from './outcome.ts';
import type { Wave } from './waves.ts';
import { sizeOf } from './waves.ts';

/** Why a rollout stopped by itself; recorded in status until it is another rollout. */
export interface Halt {
  reason: string;
  since: string;
  nodes: string[];
}

/** When a rollout stops by itself. */
export interface HaltPolicy {
  failures: number;
  percent?: number | undefined;
  minTried: number;
}

/** A node as far as a halt is judged from it. */
export interface Attempt {
  name: string;
  outcome: Outcome;
  /** The agent's word for a failure. */
  code?: string | undefined;
}

/** What is judged. */
export interface Trial {
  /** What is rolled out, as the sentence names it. */
  target: string;
  attempts: readonly Attempt[];
  /** Those that are known by number: how many failed and succeeded, and some that failed by name. */
  others?: { failed: number; succeeded: number; names: readonly string[] } | undefined;
  waves: readonly Wave[];
  /** The halt that stands, of the same target. */
  previous: Halt | undefined;
  /** Somebody accepted the failures that there are. */
  isLifted: boolean;
  /** How many nodes are named at most. */
  names: number;
}

/**
 * Whether a rollout is halted. It is when `failures` nodes failed it, when `percent` of the nodes that tried it
 * failed (once `minTried` have), or when a wave came to an end without one success and others follow: a first
 * wave of one node that failed speaks against the next, however many failures are tolerated.
 *
 * Halted stays halted, also when the nodes that failed are gone, until it is lifted; then the failures that
 * nobody accepted are counted anew.
 */
export function judgeHalt(trial: Trial, haltOn: HaltPolicy, now: number): Halt | undefined {
  const { target, attempts, previous, names } = trial;
  const failures = attempts.filter(({ outcome }) => outcome === 'failed');
  const { others } = trial;
  const failed = [...failures.map(({ name }) => name), ...(others?.names ?? [])];
  if (previous !== undefined && !trial.isLifted)
    return { ...previous, nodes: firstOf([...previous.nodes, ...failed], names) };
  const count = failures.length + (others?.failed ?? 0);
  const succeeded = attempts.filter(({ outcome }) => outcome === 'succeeded').length;
  const tried = count + succeeded + (others?.succeeded ?? 0);
  const reason = tooMany(target, haltOn, count, tried) ?? lostWave(trial);
  if (reason === undefined) return undefined;
  const since = previous?.since ?? new Date(now).toISOString();
  return { reason: `${reason}${causes(failures)}`, since, nodes: firstOf(failed, names) };
}

/** "; HealthDeadline, KeyUnknown": how the nodes failed, in the words of their NodeStates. */
function causes(failures: readonly Attempt[]): string {
  const codes = new Set(failures.map(({ code }) => code).filter((code) => code !== undefined));
  return codes.size === 0 ? '' : `; ${[...codes].toSorted().join(', ')}`;
}

function tooMany(
  target: string,
  { failures, percent, minTried }: HaltPolicy,
  failed: number,
  tried: number,
): string | undefined {
  const what = `${failed} of ${tried} nodes that tried ${target} failed`;
  if (failed >= failures) return `${what}; haltOn.failures is ${failures}`;
  if (percent === undefined || tried < minTried || failed * 100 < percent * tried) return undefined;
  return failed === 0 ? undefined : `${what}; haltOn.percent is ${percent}`;
}

function lostWave({ target, attempts, others, waves }: Trial): string | undefined {
  const outcomes = new Map(attempts.map(({ name, outcome }) => [name, outcome]));
  const anySuccess = attempts.some(({ outcome }) => outcome === 'succeeded') || (others?.succeeded ?? 0) > 0;
  const peopled = waves.filter((wave) => sizeOf(wave) > 0);
  const lost = peopled.find(
    (wave) =>
      wave.nodes.every((node) => outcomes.get(node) === 'failed') &&
      (wave.others?.failed ?? 0) === (wave.others?.total ?? 0) &&
      (wave !== peopled.at(-1) || !anySuccess),
  );
  return lost === undefined ? undefined : `no node of wave ${lost.name} arrived at ${target}`;
}

function firstOf(nodes: readonly string[], most: number): string[] {
  return [...new Set(nodes)].toSorted().slice(0, most);
}
