import { judgeHalt } from '#operators/rollout/halt.ts';
import type { Outcome } from '#operators/rollout/outcome.ts';
import type { Wave } from '#operators/rollout/waves.ts';
import type { NodeFacts } from './facts.ts';
import type { ConfigFacts, RolloutStatus } from './rollout.ts';

type Halted = NonNullable<RolloutStatus['halted']>;

/** Nodes named in a halt. */
const MOST_NAMES = 10;
const MOST_PARTNERS = 16;

/** What a halt is judged from. */
export interface Standings {
  eligible: readonly NodeFacts[];
  outcomes: ReadonlyMap<string, Outcome>;
  /** Nodes that fail by their silence. */
  lost: ReadonlySet<string>;
  waves: readonly Wave[];
}

export function haltOf(
  { name: config, spec: { rollout } }: ConfigFacts,
  before: RolloutStatus | undefined,
  { eligible, outcomes, lost, waves }: Standings,
  now: number,
): RolloutStatus['halted'] {
  const attempts = eligible.map(({ name, status }) => ({
    name,
    outcome: outcomes.get(name) ?? 'pending',
    code: lost.has(name) ? 'AgentSilent' : status?.error?.code,
  }));
  const previous = before?.halted;
  const isLifted =
    previous !== undefined &&
    (isOthersFault(previous, outcomes) || isHeardAgain(previous, eligible, outcomes));
  const trial = { target: 'the change', attempts, waves, previous, isLifted, names: MOST_NAMES };
  const halt = judgeHalt(trial, rollout.haltOn, now);
  if (halt === undefined) return undefined;
  const { silent: _, ...rest } = halt as Halted;
  const failed = eligible.filter((node) => outcomes.get(node.name) === 'failed');
  const isSilent =
    (previous === undefined || isLifted || previous.silent === true) &&
    failed.every(({ name }) => lost.has(name));
  const others = [...new Set([...(isLifted ? [] : (previous?.with ?? [])), ...partners(config, failed)])];
  return {
    ...rest,
    ...(isSilent ? { silent: true } : {}),
    ...(others.length === 0 ? {} : { with: others.toSorted().slice(0, MOST_PARTNERS) }),
  };
}

/** Where nodes were only not heard of, the rollout goes on once all of them are, or are gone, and none has failed. */
function isHeardAgain(
  halt: Halted,
  eligible: readonly NodeFacts[],
  outcomes: ReadonlyMap<string, Outcome>,
): boolean {
  if (halt.silent !== true) return false;
  return eligible.every(
    ({ name, heard }) => !halt.nodes.includes(name) || (heard && outcomes.get(name) !== 'failed'),
  );
}

/**
 * Where several configs changed at once and failed together, nobody knows which was the cause. Once another of them
 * has changed, and none of the nodes has failed what it should have now, this one is on trial again.
 */
function isOthersFault(halt: Halted, outcomes: ReadonlyMap<string, Outcome>): boolean {
  const isOver = (node: string) => outcomes.has(node) && outcomes.get(node) !== 'failed';
  return (halt.with ?? []).length > 0 && halt.nodes.every(isOver);
}

/** The configs that changed, together with this one, on nodes that failed. */
function partners(config: string, failed: readonly NodeFacts[]): string[] {
  return failed.flatMap(({ target }) =>
    target.kind === 'config' && target.differs.includes(config)
      ? target.differs.filter((name) => name !== config)
      : [],
  );
}
