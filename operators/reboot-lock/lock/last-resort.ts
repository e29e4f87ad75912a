import type { Verdict, RebootReason } from '#api/reasons.ts';
import { begun, type NodeFacts } from './facts.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Why the last node that the operator could be scheduled on is left alone while others are in its hands: only it can
 * lift their cordons, and a pod that cannot be scheduled lifts none. A node that stands alone goes; so does any where
 * the operator runs outside the cluster. `holds` tells who has a place in any lock.
 */
export function lastResort(
  { nodes, ownNode }: Pick<Snapshot, 'nodes' | 'ownNode'>,
  node: NodeFacts,
  holds: (name: string) => boolean,
): Verdict<RebootReason> | undefined {
  if (ownNode === undefined) return undefined;
  const taken = (other: NodeFacts) => begun(other) || holds(other.name);
  const isFree = (other: NodeFacts) => other.ready === 'Ready' && !other.cordoned && !taken(other);
  // From the end: places are mostly given in order, and thousands may be.
  if (nodes.findLast((other) => other.name !== node.name && isFree(other)) !== undefined) return undefined;
  const first = nodes.find((other) => other.name !== node.name && taken(other));
  if (first === undefined) return undefined;
  const message = `${first.name} goes first; this is the last node that careen itself can be scheduled on`;
  return { reason: 'LockFull', message };
}
