import type { OmahaService } from '#api/omaha.ts';
import type { Verdict } from '#api/reasons.ts';
import type { UpdatePolicy } from '../../rollout/policy.ts';
import type { RolloutStatus } from '../../rollout/rollout-status.ts';
import type { ChannelOrWhy } from '../../rollout/target.ts';

/** A group that answers over Omaha, as decisions over its machines see it. */
export interface Service {
  group: string;
  /** Of two groups that could answer a machine, the one of higher priority does. */
  priority: number;
  policy: UpdatePolicy;
  omaha: OmahaService;
  channel: ChannelOrWhy;
  /** What the leader planned last, over nodes and machines alike. */
  rollout: RolloutStatus | undefined;
  /** Nodes of the cluster in the group; percentages are of these and the machines. */
  nodes: number;
  /** Nodes of the cluster that booted the target and fell back. */
  failedNodes: number;
  /** Why nobody is given a release at this time of day. */
  closed: Verdict<'OutsideHours'> | undefined;
}
