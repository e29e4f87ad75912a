import { membership, type Group, type Membership } from '../group/group.ts';
import type { NamedWindow } from '#runtime/window/named.ts';
import type { NodeFacts } from './facts.ts';
import { selects } from './selects.ts';
import { covers, isControlPlane, CONTROL_PLANE_LOCK, type Lock } from './lock.ts';

/** Everything that one decision is made from, read at one time. */
export interface Snapshot {
  /** Epoch milliseconds. */
  now: number;
  /** Who decides; recorded with every place that is taken. */
  identity: string;
  /** The node that the deciding operator runs on; it goes last. */
  ownNode?: string | undefined;
  nodes: readonly NodeFacts[];
  /** Names of nodes that a live read found missing (404); their places are free. */
  gone: ReadonlySet<string>;
  groups: readonly Group[];
  /** In name order. */
  locks: readonly Lock[];
  windows: readonly NamedWindow[];
  /** Names of the nodes that were read live. Only they may take or give back a place; undefined: a rehearsal. */
  live?: ReadonlySet<string> | undefined;
}

/** What applies to one node. */
export interface Subject {
  node: NodeFacts;
  member: Membership;
  windows: readonly NamedWindow[];
  /** Locks whose places the node needs before it may be touched, in name order. */
  locks: readonly Lock[];
}

export function subjectOf(node: NodeFacts, snapshot: Snapshot): Subject {
  const member = membership(node.labels, snapshot.groups);
  return {
    node,
    member,
    windows: snapshot.windows.filter(({ nodeSelector }) => selects(nodeSelector, node.labels)),
    locks: needed(node, member, snapshot.locks),
  };
}

/**
 * With strategy `lock`, every lock that covers the node. With any other, the group's own lock, which records the
 * turn without limiting it, and the control plane's, which nothing gets around.
 */
function needed(node: NodeFacts, member: Membership, locks: readonly Lock[]): Lock[] {
  const covering = locks.filter((lock) => covers(lock, node));
  if ('group' in member && member.group.spec.reboot.strategy === 'lock') return covering;
  const group = 'group' in member ? member.group.name : undefined;
  return covering.filter(
    ({ name }) => name === group || (name === CONTROL_PLANE_LOCK && isControlPlane(node)),
  );
}

/** Whether the lock's number limits the node, or only records its turn (strategy `reboot`). */
export function limits(lock: Lock, { member }: Subject): boolean {
  if (lock.name === CONTROL_PLANE_LOCK || !('group' in member)) return true;
  return member.group.spec.reboot.strategy !== 'reboot';
}
