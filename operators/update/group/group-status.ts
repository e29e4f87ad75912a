import type { NodeGroup } from '#api/kinds.ts';
import type { NodeGroupStatus } from '#api/node-group.ts';
import { compareVersions } from '#api/version.ts';
import type { NodeFacts } from '../rollout/facts.ts';
import { isHeard, runningVersion } from '../rollout/facts.ts';
import type { Plan } from '../rollout/plan.ts';
import { isOffered, isStaging } from '../rollout/progress.ts';
import type { UpdatePolicy } from '../rollout/policy.ts';
import { groupConditions } from './group-conditions.ts';
import type { Conflict } from './membership-index.ts';
import type { GroupCounts } from '../omaha/store/store.ts';
import { machineCounts } from './machine-book.ts';
import { rolloutHistory } from './rollout-history.ts';

export interface StatusInput {
  object: NodeGroup;
  policy: UpdatePolicy | undefined;
  plan: Plan;
  /** The group's nodes, with what is asked of them now that the plan is carried out. */
  nodes: readonly NodeFacts[];
  conflicts: readonly Conflict[];
  /** The machines that ask over Omaha; undefined where the group answers none. */
  machines?: GroupCounts | undefined;
  /** RFC 3339. */
  now: string;
}

/** The status of a group after a plan was carried out. */
export function groupStatus({
  object,
  policy,
  plan,
  nodes,
  conflicts,
  machines,
  now,
}: StatusInput): NodeGroupStatus {
  const before = object.status;
  const generation = object.metadata.generation ?? 0;
  const history = rolloutHistory(before, plan, now);
  return {
    observedGeneration: generation,
    ...counts(plan, nodes),
    versions: versions(nodes),
    ...(machines === undefined ? {} : { machines: machineCounts(machines, plan.rollout?.target) }),
    ...(plan.rollout === undefined ? {} : { rollout: plan.rollout }),
    ...(history.length === 0 ? {} : { history }),
    conditions: groupConditions({ policy, plan, conflicts }, before?.conditions, generation, now),
  };
}

/** How many nodes run which version, newest first. */
function versions(nodes: readonly NodeFacts[]): { version: string; nodes: number }[] {
  const found = new Map<string, number>();
  for (const version of nodes.map(runningVersion)) {
    if (version !== undefined) found.set(version, (found.get(version) ?? 0) + 1);
  }
  const sorted = [...found].toSorted(([a], [b]) => compareVersions(b, a) || (a < b ? -1 : 1));
  return sorted.slice(0, 64).map(([version, count]) => ({ version, nodes: count }));
}

type Counts = Pick<
  NodeGroupStatus,
  | 'total'
  | 'upToDate'
  | 'staging'
  | 'staged'
  | 'rebooting'
  | 'verifying'
  | 'held'
  | 'failed'
  | 'rolledBack'
  | 'quarantined'
  | 'offline'
>;

function counts(plan: Plan, nodes: readonly NodeFacts[]): Counts {
  const count = (holds: (node: NodeFacts) => boolean) => nodes.filter(holds).length;
  const phase = (...phases: string[]) =>
    count((node) => phases.includes(node.status?.update?.phase ?? 'Idle'));
  const target = plan.target?.version;
  const hasArrived = ({ name }: NodeFacts) => plan.outcomes.get(name) === 'succeeded';
  const isIn = (node: NodeFacts, wanted: string) =>
    !hasArrived(node) && node.status?.update?.phase === wanted;
  return {
    total: nodes.length,
    upToDate: count(hasArrived),
    staging: count(isStaging),
    staged: count((node) => isIn(node, 'Staged') && isOffered(node, node.status?.update?.version ?? '')),
    rebooting: phase('Arming', 'Rebooting'),
    verifying: phase('Verifying'),
    held: count(({ name }) => isHeld(plan, name)),
    failed: count((node) => isIn(node, 'Failed')),
    rolledBack: count((node) => isIn(node, 'RolledBack')),
    quarantined: count(({ status }) => (status?.quarantine ?? []).some(({ version }) => version === target)),
    offline: count((node) => !isHeard(node)),
  };
}

function isHeld(plan: Plan, node: string): boolean {
  const reason = plan.assignments.get(node)?.verdict.reason;
  return reason !== undefined && reason !== 'UpToDate' && reason !== 'Offered';
}
