import type { LabelSelector } from './fields.ts';
import { matches } from './selector.ts';

/** The parts of a NodeGroup that decide over membership. */
export interface Claimant {
  spec: { nodeSelector: LabelSelector; priority?: number | undefined };
}

/**
 * The groups that claim a node: those with the highest priority among those whose selector matches its labels.
 * One: the node is its member. Several: it is in neither, because which of them was meant is the user's to say.
 */
export function claimantsOf<G extends Claimant>(
  labels: Record<string, string> | undefined,
  groups: readonly G[],
): readonly G[] {
  const selecting = groups.filter(({ spec }) => matches(spec.nodeSelector, labels));
  const highest = Math.max(...selecting.map(priorityOf));
  return selecting.filter((group) => priorityOf(group) === highest);
}

function priorityOf({ spec }: Claimant): number {
  return spec.priority ?? 0;
}
