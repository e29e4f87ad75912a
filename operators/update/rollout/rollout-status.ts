import type { NodeGroupStatus } from '#api/node-group.ts';

/** What a group records of its rollout, and the next plan continues from: `NodeGroup.status.rollout`. */
export type RolloutStatus = NonNullable<NodeGroupStatus['rollout']>;
export type Halt = NonNullable<RolloutStatus['halted']>;
