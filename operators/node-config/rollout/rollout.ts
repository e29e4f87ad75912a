import { createHash } from 'node:crypto';
import type { NodeConfigSpec, NodeConfigStatus } from '#api/node-config.ts';
import { durationMs } from '#api/fields.ts';
import type { Outcome } from '#operators/rollout/outcome.ts';
import type { WaveProgress } from '#operators/rollout/wave-progress.ts';
import { waveProgress } from '#operators/rollout/wave-progress.ts';
import type { Wave } from '#operators/rollout/waves.ts';
import { dealWaves, inRolloutOrder } from '#operators/rollout/waves.ts';
import type { NodeFacts } from './facts.ts';
import { hasFailed, isInForce, lostAt, planOf } from './facts.ts';
import { haltOf } from './halt-of.ts';

export type RolloutStatus = NonNullable<NodeConfigStatus['rollout']>;

/** One NodeConfig, as far as its rollout is concerned. */
export interface ConfigFacts {
  name: string;
  spec: Pick<NodeConfigSpec, 'confirm' | 'paused' | 'rollout'>;
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
  /** When the next node counts as lost, in ms since the epoch; undefined where all are heard of. */
  nextLossAt: number | undefined;
  /** What all the plans that there are come to; undefined before the first. */
  planned: string | undefined;
  status: RolloutStatus | undefined;
  /** No node can get any further without a person's help. */
  complete: boolean;
}

/** Looks at one NodeConfig and the nodes that it selects; which of them may go on is decided over all configs. */
export function rolloutOf(config: ConfigFacts, nodes: readonly NodeFacts[], now: number): Rollout {
  const { name, hash = '', previous, spec } = config;
  const before = previous?.hash === hash ? previous : undefined;
  const confirmMs = durationMs(spec.confirm.timeout);
  const losses = new Map(nodes.map((node) => [node.name, lostAt(node, confirmMs) ?? Infinity]));
  const lost = new Set([...losses].filter(([, at]) => at <= now).map(([node]) => node));
  const outcomes = new Map(nodes.map((node) => [node.name, outcomeOf(node, name, lost)]));
  const eligible = nodes.filter((node) => outcomes.get(node.name) !== 'ineligible');
  const declared = spec.rollout.waves;
  const ordered = declared.length === 0 ? eligible : inRolloutOrder(eligible, `${name}/${hash}`);
  const waves = dealWaves(declared, ordered);
  const progress = waveProgress(waves, outcomes, before?.waves, now);
  const waveOf = new Map(waves.flatMap((wave, index) => wave.nodes.map((node) => [node, index] as const)));
  const halted = haltOf(config, before, { eligible, outcomes, lost, waves }, now);
  const complete = halted === undefined && eligible.every((node) => outcomes.get(node.name) !== 'pending');
  const planned = hashOfPlans(eligible);
  const coming = [...losses.values()].filter((at) => at > now && at < Infinity);
  const nextLossAt = coming.length === 0 ? undefined : Math.min(...coming);
  const seen = { config, outcomes, waveOf, progress, nextLossAt, planned, complete };
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
function outcomeOf(node: NodeFacts, config: string, lost: ReadonlySet<string>): Outcome {
  const { target, status } = node;
  if (target.kind !== 'config' || status?.unsupported !== undefined) return 'ineligible';
  if (isInForce(node) || !target.differs.includes(config)) return 'succeeded';
  return hasFailed(node) || lost.has(node.name) ? 'failed' : 'pending';
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
