import { begun, openGrant, type NodeFacts } from './facts.ts';
import { covers, domainOf, type Lock } from './lock.ts';

/** A node that counts against a lock's budget. */
export interface Unavailable {
  node: string;
  /** For people, such as `cordoned by others`. */
  why: string;
  /** Every domain that it counts in: where the place was taken, and where the node is labelled now. */
  domains: readonly string[];
  held: boolean;
}

/** Why a node does not serve although we did nothing to it. */
export function foreignOutage(node: NodeFacts): string | undefined {
  if (node.ready === 'Silent') return 'gone silent';
  if (node.ready === 'NotReady') return 'NotReady';
  return node.cordoned && node.mark === undefined ? 'cordoned by others' : undefined;
}

/** Why a node that holds no place is ours all the same: its lock's status was lost, or a write is missing. */
function oursWithoutPlace(node: NodeFacts): string | undefined {
  if (!begun(node)) return undefined;
  if (node.mark !== undefined) return 'carries our cordon without a place';
  return openGrant(node) ? 'has an open grant without a place' : 'is rebooting without a place';
}

/** How a node counts that has just taken its place. */
export function placeOf(lock: Lock, node: NodeFacts): Unavailable {
  return { node: node.name, why: 'holds a place', domains: [domainOf(lock, node)], held: true };
}

/**
 * Every node that counts against the lock: holders, whatever became of them; nodes that we laid hands on; and,
 * with countExternal, nodes that others took down.
 */
export function unavailable(lock: Lock, nodes: readonly NodeFacts[]): Unavailable[] {
  const ids = new Set(lock.holders.map(({ id }) => id));
  const byName = new Map(nodes.filter(({ name }) => ids.has(name)).map((node) => [node.name, node]));
  const held = lock.holders.map((holder) => {
    const node = byName.get(holder.id);
    const domains = new Set([holder.domain, node && domainOf(lock, node)].filter((one) => one !== undefined));
    return {
      node: holder.id,
      why: 'holds a place',
      domains: domains.size > 0 ? [...domains] : [''],
      held: true,
    };
  });
  return [...held, ...withoutPlace(lock, nodes, ids)];
}

function withoutPlace(lock: Lock, nodes: readonly NodeFacts[], ids: ReadonlySet<string>): Unavailable[] {
  const found: Unavailable[] = [];
  for (const node of nodes) {
    const why = oursWithoutPlace(node) ?? (lock.spec.countExternal ? foreignOutage(node) : undefined);
    if (why !== undefined && !ids.has(node.name) && covers(lock, node)) {
      found.push({ node: node.name, why, domains: [domainOf(lock, node)], held: false });
    }
  }
  return found;
}
