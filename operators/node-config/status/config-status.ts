import type { NodeConfig } from '#api/kinds.ts';
import type { NodeConfigStatus } from '#api/node-config.ts';
import type { Desired } from '../desire/desires.ts';
import type { NodeFacts } from '../rollout/facts.ts';
import { isTold, planOf } from '../rollout/facts.ts';
import type { Plan } from '../rollout/plan.ts';
import type { Rollout } from '../rollout/rollout.ts';
import { configConditions } from './config-conditions.ts';
import { conflictsOf } from './conflicts.ts';

export interface StatusInput {
  config: NodeConfig;
  rollout: Rollout;
  plan: Plan;
  /** The nodes that it selects, with what is asked of them now that the plan is carried out. */
  nodes: readonly NodeFacts[];
  desired: ReadonlyMap<string, Desired>;
  /** Nodes on which others changed something of this config's. */
  drifted: number;
  /** RFC 3339. */
  now: string;
}

/** The status of a NodeConfig after a plan was carried out. */
export function configStatus(input: StatusInput): NodeConfigStatus {
  const { config, rollout, nodes, desired, drifted, now } = input;
  const { name, generation = 0 } = config.metadata;
  const conflicts = conflictsOf(name, desired);
  const count = (holds: (node: NodeFacts) => boolean) => nodes.filter(holds).length;
  const outcome = ({ name: node }: NodeFacts) => rollout.outcomes.get(node);
  const isOn = (node: NodeFacts) => node.target.kind === 'config' && node.target.differs.includes(name);
  return {
    observedGeneration: generation,
    total: nodes.length,
    upToDate: count((node) => outcome(node) === 'succeeded'),
    planned: count(
      (node) => isOn(node) && !isTold(node) && planOf(node) !== undefined && outcome(node) === 'pending',
    ),
    applying: count((node) => isOn(node) && isTold(node)),
    failed: count((node) => outcome(node) === 'failed'),
    drifted,
    conflicted: count((node) => isConflicted(node)),
    ...(conflicts.length === 0 ? {} : { conflicts }),
    ...(rollout.status === undefined ? {} : { rollout: rollout.status }),
    conditions: configConditions({ ...input, conflicts }, config.status?.conditions, generation, now),
  };
}

function isConflicted({ target }: NodeFacts): boolean {
  return target.kind === 'obstacle' && target.verdict.reason === 'Conflicted';
}
