import type { Condition } from '#api/conditions.ts';
import { withConditions } from '#api/conditions.ts';
import type { NodeConfig } from '#api/kinds.ts';
import type { NodeFacts } from '../rollout/facts.ts';
import type { Plan } from '../rollout/plan.ts';
import type { Rollout } from '../rollout/rollout.ts';
import type { ConflictStatus } from './conflicts.ts';

type Said = Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>;

/** What a config's conditions are made from. */
export interface Situation {
  config: NodeConfig;
  rollout: Rollout;
  plan: Plan;
  nodes: readonly NodeFacts[];
  conflicts: readonly ConflictStatus[];
}

const NAMED = 5;
/** Obstacles that are the config's own; the others are a node's. */
const OWN = new Set(['ConfigInvalid', 'SecretMissing', 'TooLarge', 'Conflicted']);

/**
 * `Ready` says that the config is accepted and enforced, not that all nodes have it: a rollout may take days, and
 * tools that wait for Ready would wait with it.
 */
export function configConditions(
  situation: Situation,
  before: readonly Condition[] | undefined,
  observedGeneration: number,
  now: string,
): Condition[] {
  const said = [...acceptance(situation), ...conflict(situation), ...rollout(situation)];
  const cut = said.map((one) => ({ ...one, message: one.message.slice(0, 4096), observedGeneration }));
  return withConditions(before, cut, now);
}

/** The conditions of an object that cannot be read. */
export function invalidConditions(
  message: string,
  before: readonly Condition[] | undefined,
  observedGeneration: number,
  now: string,
): Condition[] {
  const said = { reason: 'ConfigInvalid', message: message.slice(0, 4096), observedGeneration };
  const ready = { type: 'Ready', status: 'False' as const, ...said };
  return withConditions(before, [ready, { type: 'Stalled', status: 'True', ...said }], now);
}

function acceptance({ config, nodes }: Situation): Said[] {
  const obstacles = nodes.map(({ target }) => (target.kind === 'obstacle' ? target.verdict : undefined));
  const name = config.metadata.name;
  const found = obstacles.find(
    (one) => one !== undefined && OWN.has(one.reason) && one.message.includes(name),
  );
  if (found === undefined) {
    return [{ type: 'Ready', status: 'True', reason: 'Accepted', message: 'The config is enforced' }];
  }
  return [
    { type: 'Ready', status: 'False', ...found },
    { type: 'Stalled', status: 'True', ...found },
  ];
}

function conflict({ conflicts }: Situation): Said[] {
  if (conflicts.length === 0) return [];
  const what = conflicts.map(
    (one) => `${one.what} (also wanted by ${one.with}, on ${one.nodes} nodes such as ${one.example})`,
  );
  const message = `${some(what)}; these nodes keep what they have: change one of the configs, or a priority`;
  return [{ type: 'Conflict', status: 'True', reason: 'Conflicted', message }];
}

function rollout(situation: Situation): Said[] {
  const { status } = situation.rollout;
  if (status === undefined) return [];
  return [progressing(situation), halted(situation), complete(situation)];
}

function progressing(situation: Situation): Said {
  const type = 'Progressing';
  const {
    config,
    rollout: { status, complete: isComplete },
  } = situation;
  if (status?.halted !== undefined)
    return { type, status: 'False', reason: 'Halted', message: status.halted.reason };
  if (isComplete) return { type, status: 'False', reason: 'Complete', message: arrivals(situation) };
  if (config.spec.paused)
    return { type, status: 'False', reason: 'Paused', message: 'No node begins to apply it' };
  const approval = waitsForApproval(situation);
  if (approval !== undefined) return { type, status: 'False', reason: 'ApprovalNeeded', message: approval };
  const wave = status?.wave === undefined ? '' : `, wave ${status.wave}`;
  return {
    type,
    status: 'True',
    reason: 'RollingOut',
    message: `Rolling out${wave}: ${arrivals(situation)}`,
  };
}

function waitsForApproval({ config, rollout: { status, planned } }: Situation): string | undefined {
  const { approval, approvedPlan } = config.spec.rollout;
  if (approval === 'None' || (planned !== undefined && planned === approvedPlan)) return undefined;
  if (status?.planHash === undefined)
    return 'Waits for the plans of all nodes, and then for rollout.approvedPlan';
  return `Waits for rollout.approvedPlan: ${status.planHash}`;
}

function halted({ rollout: { status } }: Situation): Said {
  const halt = status?.halted;
  if (halt === undefined)
    return { type: 'Halted', status: 'False', reason: 'NotHalted', message: 'Nothing stops the rollout' };
  const message = `${halt.reason}; failed: ${some(halt.nodes)}`;
  return { type: 'Halted', status: 'True', reason: 'TooManyFailures', message };
}

function complete(situation: Situation): Said {
  const type = 'Complete';
  const message = arrivals(situation);
  if (!situation.rollout.complete) return { type, status: 'False', reason: 'InProgress', message };
  const isAll = [...situation.rollout.outcomes.values()].every((outcome) => outcome === 'succeeded');
  return { type, status: 'True', reason: isAll ? 'Arrived' : 'ArrivedExceptHeld', message };
}

/** "4 of 5 nodes have it; not: n3 (ConfigFailed)". */
function arrivals({ rollout: { outcomes }, plan }: Situation): string {
  const all = [...outcomes];
  const arrived = all.filter(([, outcome]) => outcome === 'succeeded').length;
  const stuck = all
    .filter(([node, outcome]) => outcome === 'failed' || outcome === 'ineligible' || isSilent(plan, node))
    .map(([node]) => `${node} (${plan.assignments.get(node)?.verdict.reason ?? ''})`);
  return `${arrived} of ${all.length} nodes have it${stuck.length === 0 ? '' : `; not: ${some(stuck)}`}`;
}

function isSilent({ assignments }: Plan, node: string): boolean {
  return assignments.get(node)?.verdict.reason === 'AgentSilent';
}

function some(names: readonly string[]): string {
  const shown = names.toSorted().slice(0, NAMED).join(', ');
  return names.length > NAMED ? `${shown} and ${names.length - NAMED} more` : shown;
}
