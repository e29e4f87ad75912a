import { spanMs } from '#operators/rollout/span.ts';
import type { Verdict } from '#api/reasons.ts';
import type { UpdatePolicy } from '../../rollout/policy.ts';
import { placesOf } from '../../rollout/node-places.ts';
import type { Limit, Limits } from '../store/decision.ts';
import type { GroupView, StandingCount } from '../store/group-view.ts';
import type { Service } from './service.ts';

/** The limits of a group, over its nodes and machines together; the store checks them when it commits a grant. */
export function limitsOf(policy: UpdatePolicy, total: number): Limits {
  const { maxUpdates } = policy.rollout;
  const inProgress = placesOf(policy, total);
  if (maxUpdates === undefined) return { inProgress };
  return { inProgress, period: { count: maxUpdates.count, ms: spanMs(maxUpdates.period) } };
}

/** As `limitsOf`, for a machine: failures of the target count as well, before the leader has seen them. */
export function machineLimits(service: Service, view: GroupView, target: string, atOnce: boolean): Limits {
  const { policy, nodes, failedNodes } = service;
  const { period, ...limits } = limitsOf(policy, nodes + view.machines);
  const paced = period === undefined || atOnce ? limits : { ...limits, period };
  const { failures, acknowledged } = policy.rollout.haltOn;
  if (acknowledged.includes(target)) return paced;
  return { ...paced, failures: { target, count: Math.max(1, failures - failedNodes) } };
}

/** Why the target goes to nobody, as far as it can be told without the leader; it says it for good. */
export function haltOf(service: Service, view: GroupView, target: string): string | undefined {
  const { rollout, policy, failedNodes } = service;
  if (rollout?.halted !== undefined) return rollout.halted.reason;
  const { failures, percent, minTried, acknowledged } = policy.rollout.haltOn;
  if (acknowledged.includes(target)) return undefined;
  const failed = failedNodes + count(view, target, 'failed');
  const tried = failed + count(view, target, 'succeeded');
  if (failed >= failures) return `${failures} failed it; haltOn.failures is ${failures}`;
  if (percent === undefined || failed === 0 || tried < minTried) return undefined;
  return failed * 100 >= percent * tried ? `too many failed it; haltOn.percent is ${percent}` : undefined;
}

/** What a machine is told that came too late for a limit. */
export function fullVerdict(limit: Limit, version: string, { group, policy }: Service): Verdict {
  const { maxStaging, maxUpdates, haltOn } = policy.rollout;
  switch (limit) {
    case 'inProgress':
      return {
        reason: 'MaxStaging',
        message: `${version} waits: maxStaging lets ${maxStaging} update at once`,
      };
    case 'period': {
      const { count: most, period } = maxUpdates ?? { count: 0, period: '0s' };
      return {
        reason: 'MaxUpdates',
        message: `${version} waits: maxUpdates lets ${most} begin within ${period}`,
      };
    }
    case 'failures':
      return { reason: 'Halted', message: `group ${group} halted it: haltOn.failures is ${haltOn.failures}` };
  }
}

function count({ standings }: GroupView, target: string, outcome: StandingCount['outcome']): number {
  const those = standings.filter((one) => one.target === target && one.outcome === outcome);
  return those.reduce((sum, { machines }) => sum + machines, 0);
}
