import type { NodeGroupSpec } from '#api/node-group.ts';

/** How a group is updated: `NodeGroup.spec.update`, with its defaults. */
export type UpdatePolicy = NonNullable<NodeGroupSpec['update']>;
