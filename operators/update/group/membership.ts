import type { NodeGroup } from '#api/kinds.ts';
import { claimantsOf, type Claimant as Claim } from '#api/membership.ts';

/** Where a node belongs: to one group, to none, or, because two groups tie over it, to neither of `groups`. */
export type Membership =
  { in: 'group'; group: string } | { in: 'none' } | { in: 'conflict'; groups: readonly string[] };

/** The parts of a NodeGroup that decide over membership. */
export type Claimant = Pick<NodeGroup, 'metadata'> & Claim;

export function membershipOf(
  labels: Record<string, string> | undefined,
  groups: readonly Claimant[],
): Membership {
  const [only, ...others] = claimantsOf(labels, groups);
  if (only === undefined) return { in: 'none' };
  if (others.length === 0) return { in: 'group', group: only.metadata.name };
  return { in: 'conflict', groups: [only, ...others].map(({ metadata }) => metadata.name).toSorted() };
}
