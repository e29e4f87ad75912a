import type { Standing } from './outcome.ts';
import type { UpdatePolicy } from './policy.ts';
import type { Halt } from './rollout-status.ts';
import type { Wave } from './waves.ts';

const MOST_NODES = 32;

/** The target, and every version that nodes may have to step on to reach it, the target among them. */
export interface Way {
  target: string;
  steps: readonly string[];
}

/**
 * Whether the rollout to `target` is halted. It is when `failures` nodes failed it, when `percent` of the nodes
 * that tried it failed (once `minTried` have), or when a wave came to an end without one success and others
 * follow: a first wave of one node that failed speaks against the next, however many failures are tolerated.
 *
 * Halted stays halted (`previous`, of the same target), also when the nodes that failed are gone, until the
 * target or a floor on the way to it is acknowledged; then the failures that nobody accepted are counted anew.
 */
export function judgeHalt(
  { target, steps }: Way,
  haltOn: UpdatePolicy['rollout']['haltOn'],
  standings: readonly Standing[],
  waves: readonly Wave[],
  previous: Halt | undefined,
  now: number,
): Halt | undefined {
  const failures = standings.filter(({ outcome }) => outcome === 'failed');
  const failed = failures.map(({ node }) => node.name);
  const isLifted = haltOn.acknowledged.some((version) => steps.includes(version));
  if (previous !== undefined && !isLifted)
    return { ...previous, nodes: firstOf([...previous.nodes, ...failed]) };
  const tried = failed.length + standings.filter(({ outcome }) => outcome === 'succeeded').length;
  const reason = tooMany(target, haltOn, failed.length, tried) ?? lostWave(target, standings, waves);
  if (reason === undefined) return undefined;
  const since = previous?.since ?? new Date(now).toISOString();
  return { reason: `${reason}${causes(failures)}`, since, nodes: firstOf(failed) };
}

/** "; HealthDeadline, KeyUnknown": how the nodes failed, in the words of their NodeStates. */
function causes(failures: readonly Standing[]): string {
  const codes = new Set(failures.map(({ failure }) => failure?.code).filter((code) => code !== undefined));
  return codes.size === 0 ? '' : `; ${[...codes].toSorted().join(', ')}`;
}

function tooMany(
  target: string,
  { failures, percent, minTried }: UpdatePolicy['rollout']['haltOn'],
  failed: number,
  tried: number,
): string | undefined {
  const what = `${failed} of ${tried} nodes that tried ${target} failed`;
  if (failed >= failures) return `${what}; haltOn.failures is ${failures}`;
  if (percent === undefined || tried < minTried || failed * 100 < percent * tried) return undefined;
  return failed === 0 ? undefined : `${what}; haltOn.percent is ${percent}`;
}

function lostWave(
  target: string,
  standings: readonly Standing[],
  waves: readonly Wave[],
): string | undefined {
  const outcomes = new Map(standings.map(({ node, outcome }) => [node.name, outcome]));
  const anySuccess = standings.some(({ outcome }) => outcome === 'succeeded');
  const peopled = waves.filter(({ nodes }) => nodes.length > 0);
  const lost = peopled.find(
    (wave) =>
      wave.nodes.every((node) => outcomes.get(node) === 'failed') && (wave !== peopled.at(-1) || !anySuccess),
  );
  return lost === undefined ? undefined : `no node of wave ${lost.name} arrived at ${target}`;
}

function firstOf(nodes: readonly string[]): string[] {
  return [...new Set(nodes)].toSorted().slice(0, MOST_NODES);
}
