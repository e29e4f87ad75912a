import type { NodeGroup } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { NodeGroupSpec } from '#api/node-group.ts';
import type { NodeFacts } from '../rollout/facts.ts';
import type { GroupCounts } from '../omaha/store/store.ts';
import type { Plan } from '../rollout/plan.ts';
import type { ChannelOrWhy } from '../rollout/target.ts';
import type { Change } from '../state/write-order.ts';

/** What one reconcile of a group works with. */
export interface Round {
  object: NodeGroup;
  spec: NodeGroupSpec;
  channel: ChannelOrWhy;
  nodes: { node: Node; facts: NodeFacts }[];
  plan: Plan;
  /** The machines that ask over Omaha; undefined where the group answers none. */
  counts: GroupCounts | undefined;
  changes: Change[];
  /** When an unsettled reason would have to be written, in ms from now. */
  settlesInMs: number | undefined;
  now: number;
}
