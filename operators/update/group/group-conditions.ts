import type { Condition } from '#api/conditions.ts';
import { withConditions } from '#api/conditions.ts';
import type { Plan } from '../rollout/plan.ts';
import type { RolloutStatus } from '../rollout/rollout-status.ts';
import type { UpdatePolicy } from '../rollout/policy.ts';
import type { Conflict } from './membership-index.ts';

type Said = Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>;

/** What a group's conditions are made from. */
export interface Situation {
  policy: UpdatePolicy | undefined;
  plan: Plan;
  conflicts: readonly Conflict[];
}

const NAMED = 5;

/**
 * A group's conditions. `Ready` says that the policy is accepted and enforced, not that all nodes arrived: a
 * rollout may take days, and tools that wait for Ready would wait with it.
 */
export function groupConditions(
  situation: Situation,
  before: readonly Condition[] | undefined,
  observedGeneration: number,
  now: string,
): Condition[] {
  const said = [...acceptance(situation), ...conflict(situation), ...rollout(situation)];
  return withConditions(
    before,
    said.map((one) => ({ ...one, message: one.message.slice(0, 4096), observedGeneration })),
    now,
  );
}

/** The conditions of an object that cannot be read. */
export function invalidConditions(
  message: string,
  before: readonly Condition[] | undefined,
  observedGeneration: number,
  now: string,
): Condition[] {
  const said = { reason: 'Invalid', message, observedGeneration };
  const ready = { type: 'Ready', status: 'False' as const, ...said };
  return withConditions(before, [ready, { type: 'Stalled', status: 'True', ...said }], now);
}

function acceptance({ plan }: Situation): Said[] {
  const obstacle = plan.target?.obstacle;
  if (obstacle === undefined) {
    return [{ type: 'Ready', status: 'True', reason: 'Accepted', message: 'The policy is enforced' }];
  }
  return [
    { type: 'Ready', status: 'False', ...obstacle },
    { type: 'Stalled', status: 'True', ...obstacle },
  ];
}

function conflict({ conflicts }: Situation): Said[] {
  if (conflicts.length === 0) return [];
  const nodes = some(conflicts.map(({ node }) => node));
  const others = [...new Set(conflicts.flatMap((one) => one.with))].toSorted().join(', ');
  const message = `${others} of equal priority selects the same nodes: ${nodes}; they are in neither group`;
  return [{ type: 'Conflict', status: 'True', reason: 'GroupConflict', message }];
}

function rollout({ policy, plan }: Situation): Said[] {
  if (policy === undefined) return [];
  const obstacle = plan.target?.obstacle;
  if (obstacle !== undefined) return [{ type: 'Progressing', status: 'False', ...obstacle }];
  return [progressing(policy, plan), halted(plan), complete(plan)];
}

function progressing({ paused }: UpdatePolicy, plan: Plan): Said {
  const type = 'Progressing';
  const { target = '', halted: halt, wave } = plan.rollout ?? ({} as Partial<RolloutStatus>);
  if (halt !== undefined) return { type, status: 'False', reason: 'Halted', message: halt.reason };
  if (plan.complete) return { type, status: 'False', reason: 'Complete', message: arrivals(plan) };
  if (paused) return { type, status: 'False', reason: 'Paused', message: 'No node is given a new version' };
  const reasons = reasonsOf(plan);
  const silent = reasons.get('AgentSilent') ?? [];
  const faulty = reasons.get('AgentFaulty') ?? [];
  const waits = `${silent.length === 0 ? '' : `; not heard of: ${some(silent)}`}${
    faulty.length === 0 ? '' : `; faulty: ${some(faulty)}`
  }`;
  const message = `Rolling out ${target}${wave === undefined ? '' : `, wave ${wave}`}: ${arrivals(plan)}${waits}`;
  return { type, status: 'True', reason: 'RollingOut', message };
}

function halted({ rollout }: Plan): Said {
  const type = 'Halted';
  const halt = rollout?.halted;
  if (halt === undefined)
    return { type, status: 'False', reason: 'NotHalted', message: 'Nothing stops the rollout' };
  const message = `${halt.reason}; failed: ${some(halt.nodes)}`;
  return { type, status: 'True', reason: 'TooManyFailures', message };
}

function complete(plan: Plan): Said {
  const type = 'Complete';
  const target = plan.rollout?.target ?? '';
  if (!plan.complete)
    return { type, status: 'False', reason: 'InProgress', message: `Not all nodes are at ${target}` };
  const isAll = [...plan.outcomes.values()].every((outcome) => outcome === 'succeeded');
  return { type, status: 'True', reason: isAll ? 'Arrived' : 'ArrivedExceptHeld', message: arrivals(plan) };
}

/** "4 of 5 nodes run 2.0.0; cannot: n3 (Quarantined)". */
function arrivals(plan: Plan): string {
  const { outcomes } = plan;
  const target = plan.rollout?.target ?? '';
  const all = [...outcomes];
  const arrived = all.filter(([, outcome]) => outcome === 'succeeded').length;
  const stuck = all
    .filter(([, outcome]) => outcome !== 'succeeded' && outcome !== 'pending')
    .map(([node]) => `${node} (${plan.assignments.get(node)?.verdict.reason ?? ''})`);
  const cannot = stuck.length === 0 ? '' : `; cannot: ${some(stuck)}`;
  return `${arrived} of ${all.length} nodes run ${target}${cannot}`;
}

function reasonsOf({ assignments }: Plan): Map<string, string[]> {
  const nodes = new Map<string, string[]>();
  for (const [node, { verdict }] of assignments) {
    nodes.set(verdict.reason, [...(nodes.get(verdict.reason) ?? []), node]);
  }
  return nodes;
}

function some(names: readonly string[]): string {
  const shown = names.toSorted().slice(0, NAMED).join(', ');
  return names.length > NAMED ? `${shown} and ${names.length - NAMED} more` : shown;
}
