import { createHash } from 'node:crypto';
import type { NodeConfigSpec, NodeConfigStatus } from '#api/node-config.ts';
import { judgeHalt } from '#operators/rollout/halt.ts';
import type { Outcome } from '#operators/rollout/outcome.ts';
import type { WaveProgress } from '#operators/rollout/wave-progress.ts';
import { waveProgress } from '#operators/rollout/wave-progress.ts';
import type { Wave } from '#operators/rollout/waves.ts';
import { dealWaves, inRolloutOrder } from '#operators/rollout/waves.ts';
import type { NodeFacts } from './facts.ts';
import { hasFailed, isInForce, planOf } from './facts.ts';

export type RolloutStatus = NonNullable<NodeConfigStatus['rollout']>;

/** One NodeConfig, as far as its rollout is concerned. */
export interface ConfigFacts {
  name: string;
  spec: Pick<NodeConfigSpec, 'paused' | 'rollout'>;
  /** Of what it says now, contents of its secrets included; undefined where it cannot be rendered anywhere. */
  hash: string | undefined;
  /** `status.rollout` as it was last written. */
  previous: RolloutStatus | undefined;
}

/** How the rollout of one NodeConfig stands. */
export interface Rollout {
  config: ConfigFacts;
  /** Of every node that it selects. */
  outcomes: ReadonlyMap<string, Outcome>;
  /** Index of each node's wave. */
  waveOf: ReadonlyMap<string, number>;
  progress: WaveProgress;
  /** What all the plans that there are come to; undefined before the first. */
  planned: string | undefined;
  status: RolloutStatus | undefined;
  /** No node can get any further without a person's help. */
  complete: boolean;
}

/** Nodes named in a halt. */
const MOST_NAMES = 10;
const MOST_PARTNERS = 16;

/** Looks at one NodeConfig and the nodes that it selects; which of them may go on is decided over all configs. */
export function rolloutOf(config: ConfigFacts, nodes: readonly NodeFacts[], now: number): Rollout {
  const { name, hash = '', previous, spec } = config;
  const before = previous?.hash === hash ? previous : undefined;
  const outcomes = new Map(nodes.map((node) => [node.name, outcomeOf(node, name)]));
  const eligible = nodes.filter((node) => outcomes.get(node.name) !== 'ineligible');
  const declared = spec.rollout.waves;
  const ordered = declared.length === 0 ? eligible : inRolloutOrder(eligible, `${name}/${hash}`);
  const waves = dealWaves(declared, ordered);
  const progress = waveProgress(waves, outcomes, before?.waves, now);
  const waveOf = new Map(waves.flatMap((wave, index) => wave.nodes.map((node) => [node, index] as const)));
  const halted = haltOf(config, before, eligible, outcomes, waves, now);
  const complete = halted === undefined && eligible.every((node) => outcomes.get(node.name) !== 'pending');
  const planned = hashOfPlans(eligible);
  const seen = { config, outcomes, waveOf, progress, planned, complete };
  if (config.hash === undefined) return { ...seen, status: previous };
  const status: RolloutStatus = {
    hash,
    startedAt: before?.startedAt ?? new Date(now).toISOString(),
    ...shown(waves, progress, complete),
    ...(planned === undefined || !haveAllPlanned(eligible, outcomes) ? {} : { planHash: planned }),
    disruptive: eligible.filter((node) => outcomes.get(node.name) === 'pending' && isDisruptive(node)).length,
    ...(halted === undefined ? {} : { halted }),
  };
  return { ...seen, status };
}

/** A node on which something else of its bundle changes has this config in force already. */
function outcomeOf(node: NodeFacts, config: string): Outcome {
  const { target, status } = node;
  if (target.kind !== 'config' || status?.unsupported !== undefined) return 'ineligible';
  if (isInForce(node) || !target.differs.includes(config)) return 'succeeded';
  return hasFailed(node) ? 'failed' : 'pending';
}

function haltOf(
  { name: config, spec: { rollout } }: ConfigFacts,
  before: RolloutStatus | undefined,
  eligible: readonly NodeFacts[],
  outcomes: ReadonlyMap<string, Outcome>,
  waves: readonly Wave[],
  now: number,
): RolloutStatus['halted'] {
  const attempts = eligible.map(({ name, status }) => ({
    name,
    outcome: outcomes.get(name) ?? 'pending',
    code: status?.error?.code,
  }));
  const previous = before?.halted;
  const isLifted = previous !== undefined && isOthersFault(previous, outcomes);
  const trial = { target: 'the change', attempts, waves, previous, isLifted, names: MOST_NAMES };
  const halt = judgeHalt(trial, rollout.haltOn, now);
  if (halt === undefined) return undefined;
  const others = [...new Set([...(isLifted ? [] : (previous?.with ?? [])), ...partners(config, eligible)])];
  return others.length === 0 ? halt : { ...halt, with: others.toSorted().slice(0, MOST_PARTNERS) };
}

/**
 * Where several configs changed at once and failed together, nobody knows which was the cause. Once another of them
 * has changed, and none of the nodes has failed what it should have now, this one is on trial again.
 */
function isOthersFault(
  halt: NonNullable<RolloutStatus['halted']>,
  outcomes: ReadonlyMap<string, Outcome>,
): boolean {
  const isOver = (node: string) => outcomes.has(node) && outcomes.get(node) !== 'failed';
  return (halt.with ?? []).length > 0 && halt.nodes.every(isOver);
}

/** The configs that changed, together with this one, on nodes that failed. */
function partners(config: string, nodes: readonly NodeFacts[]): string[] {
  const failed = nodes.filter(hasFailed);
  return failed.flatMap(({ target }) =>
    target.kind === 'config' && target.differs.includes(config)
      ? target.differs.filter((name) => name !== config)
      : [],
  );
}

/**
 * Stands for the plans of all nodes, each different one once: a node more that plans the same changes nothing. The
 * plans of nodes that have applied it count as well, so that an approval holds to the end.
 */
function hashOfPlans(nodes: readonly NodeFacts[]): string | undefined {
  const plans = new Set(nodes.map((node) => planOf(node)?.hash).filter((hash) => hash !== undefined));
  if (plans.size === 0) return undefined;
  return createHash('sha256')
    .update([...plans].toSorted().join('\n'))
    .digest('hex');
}

/** Nodes that are not heard of are not waited for: they plan when they are back, and may need another approval. */
function haveAllPlanned(nodes: readonly NodeFacts[], outcomes: ReadonlyMap<string, Outcome>): boolean {
  return nodes.every(
    (node) => !node.heard || outcomes.get(node.name) !== 'pending' || planOf(node) !== undefined,
  );
}

export function isDisruptive(node: NodeFacts): boolean {
  const plan = planOf(node);
  return plan !== undefined && (plan.drains || plan.reboots);
}

/** The waves as status shows them; a config without declared waves has none to show. */
function shown(
  waves: readonly Wave[],
  progress: WaveProgress,
  complete: boolean,
): Pick<RolloutStatus, 'wave' | 'waves'> {
  if (waves.length === 1) return {};
  const peopled = progress.waves.filter(({ name, nodes }) => name !== 'rest' || nodes > 0);
  const current = complete ? undefined : progress.waves[progress.current]?.name;
  return { waves: peopled, ...(current === undefined ? {} : { wave: current }) };
}
