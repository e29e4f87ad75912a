import type { NodeGroup } from '#api/kinds.ts';
import type { Membership } from './membership.ts';
import { membershipOf } from './membership.ts';

const NONE: Membership = { in: 'none' };

/** A node over which two groups tie, as one of them sees it. */
export interface Conflict {
  node: string;
  /** The other groups. */
  with: string[];
}

/**
 * Which node is in which group, kept up to date node by node, so that an event costs no look at all nodes.
 * Every change returns the groups that it may matter to.
 */
export class MembershipIndex {
  readonly #labels = new Map<string, Record<string, string>>();
  readonly #memberships = new Map<string, Membership>();
  readonly #members = new Map<string, Set<string>>();
  #groups: readonly NodeGroup[] = [];

  of(node: string): Membership {
    return this.#memberships.get(node) ?? NONE;
  }

  /** Names of the nodes that are in the group. */
  members(group: string): string[] {
    return [...(this.#members.get(group) ?? [])];
  }

  conflicts(group: string): Conflict[] {
    const conflicts: Conflict[] = [];
    for (const [node, membership] of this.#memberships) {
      if (membership.in !== 'conflict' || !membership.groups.includes(group)) continue;
      conflicts.push({ node, with: membership.groups.filter((other) => other !== group) });
    }
    return conflicts.toSorted((a, b) => (a.node < b.node ? -1 : 1));
  }

  /** A node appeared or its labels changed; undefined: it is gone. */
  setNode(node: string, labels: Record<string, string> | undefined): Set<string> {
    if (labels === undefined) this.#labels.delete(node);
    else this.#labels.set(node, labels);
    return this.#place(node, labels === undefined ? undefined : membershipOf(labels, this.#groups));
  }

  /** The groups as they are now. Also returns the nodes whose membership changed. */
  setGroups(groups: readonly NodeGroup[]): { groups: Set<string>; nodes: Set<string> } {
    this.#groups = groups;
    const touched = { groups: new Set<string>(), nodes: new Set<string>() };
    for (const [node, labels] of this.#labels) {
      const before = this.of(node);
      const next = membershipOf(labels, groups);
      if (JSON.stringify(before) === JSON.stringify(next)) continue;
      touched.nodes.add(node);
      for (const group of this.#place(node, next)) touched.groups.add(group);
    }
    return touched;
  }

  #place(node: string, next: Membership | undefined): Set<string> {
    const before = this.#memberships.get(node);
    if (before?.in === 'group') this.#members.get(before.group)?.delete(node);
    if (next === undefined) this.#memberships.delete(node);
    else this.#memberships.set(node, next);
    if (next?.in === 'group') this.#membersOf(next.group).add(node);
    return new Set([...groupsOf(before), ...groupsOf(next)]);
  }

  #membersOf(group: string): Set<string> {
    const members = this.#members.get(group) ?? new Set();
    this.#members.set(group, members);
    return members;
  }
}

/** The groups that a membership speaks of. */
export function groupsOf(membership: Membership | undefined): readonly string[] {
  if (membership?.in === 'group') return [membership.group];
  return membership?.in === 'conflict' ? membership.groups : [];
}
