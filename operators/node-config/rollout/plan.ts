import { shareOf } from '#operators/rollout/share.ts';
import type { Assignment, Standing } from './chain.ts';
import { decide, offered, waveOn } from './chain.ts';
import type { NodeFacts } from './facts.ts';
import { isTold } from './facts.ts';
import type { ConfigFacts, Rollout } from './rollout.ts';
import { rolloutOf } from './rollout.ts';

export interface PlanInput {
  configs: readonly ConfigFacts[];
  nodes: readonly NodeFacts[];
  /** ms since the epoch. */
  now: number;
}

export interface Plan {
  /** For every node. */
  assignments: ReadonlyMap<string, Assignment>;
  /** For every NodeConfig. */
  rollouts: ReadonlyMap<string, Rollout>;
  /** When the plan may change although nothing else does, in ms since the epoch. */
  nextCheckAt: number | undefined;
}

/**
 * Plans the rollouts of all NodeConfigs at once: a node has one bundle, and every config that changes in it must
 * admit the node and have room for it. Planning again on the result, with nothing else changed, asks for the same.
 */
export function planRollouts({ configs, nodes, now }: PlanInput): Plan {
  const selected = nodesByConfig(nodes);
  const rollouts = new Map(
    configs.map((config) => [config.name, rolloutOf(config, selected.get(config.name) ?? [], now)]),
  );
  const standings = nodes.map((node) => ({ node, rollouts: differing(node, rollouts) }));
  const times = [...rollouts.values()].flatMap(({ progress, nextLossAt }) => [
    progress.soakEndsAt,
    nextLossAt,
  ]);
  const instants = times.filter((at) => at !== undefined && at > now).map(Number);
  return {
    assignments: assign(standings, rollouts),
    rollouts,
    nextCheckAt: instants.length === 0 ? undefined : Math.min(...instants),
  };
}

function nodesByConfig(nodes: readonly NodeFacts[]): Map<string, NodeFacts[]> {
  const found = new Map<string, NodeFacts[]>();
  for (const node of nodes) {
    for (const config of node.target.kind === 'none' ? [] : node.target.configs) {
      const list = found.get(config);
      if (list === undefined) found.set(config, [node]);
      else list.push(node);
    }
  }
  return found;
}

function differing({ target }: NodeFacts, rollouts: ReadonlyMap<string, Rollout>): Rollout[] {
  if (target.kind !== 'config') return [];
  return target.differs.map((name) => rollouts.get(name)).filter((rollout) => rollout !== undefined);
}

function assign(
  standings: readonly Standing[],
  rollouts: ReadonlyMap<string, Rollout>,
): Map<string, Assignment> {
  const assignments = new Map<string, Assignment>();
  const room = new Map([...rollouts].map(([name, rollout]) => [name, limitOf(rollout)]));
  const take = ({ node, rollouts: of }: Standing) => {
    // One that is lost gave its place away: it may never come back, and was counted as a failure.
    for (const { config } of of.filter(({ outcomes }) => outcomes.get(node.name) !== 'failed'))
      room.set(config.name, (room.get(config.name) ?? 0) - 1);
  };
  const candidates: Standing[] = [];
  for (const standing of standings) {
    const answer = decide(standing);
    if (answer === undefined) candidates.push(standing);
    else assignments.set(standing.node.name, answer);
    // One that is withdrawn now may have begun meanwhile: its place is free when it says so.
    if (isTold(standing.node)) take(standing);
  }
  for (const standing of inWaveOrder(candidates)) {
    const hasRoom = standing.rollouts.every(({ config }) => (room.get(config.name) ?? 0) > 0);
    if (hasRoom) take(standing);
    assignments.set(standing.node.name, hasRoom ? offered('may apply it') : waits(standing));
  }
  return assignments;
}

function limitOf({ config, outcomes }: Rollout): number {
  const eligible = [...outcomes.values()].filter((outcome) => outcome !== 'ineligible').length;
  return shareOf(config.spec.rollout.maxApplying, eligible, 'down');
}

/** Earlier waves first; a stable sort, so that otherwise the order of the nodes stays. */
function inWaveOrder(standings: readonly Standing[]): Standing[] {
  return standings.toSorted((a, b) => waveOn(a) - waveOn(b));
}

/** Names them all, whichever is full: the sentence stays true, and is written once, while others come and go. */
function waits({ rollouts }: Standing): Assignment {
  const names = rollouts.map(({ config }) => config.name).join(', ');
  const message = `as many nodes apply a change as rollout.maxApplying of ${names} allows`;
  return { action: 'plan', verdict: { reason: 'MaxApplying', message } };
}
