import type { Holder } from '#api/reboot-lock.ts';
import { inFlight, openGrant, type NodeFacts } from './facts.ts';
import { domainOf, type Lock } from './lock.ts';
import type { Snapshot } from './snapshot.ts';

/** The boot that a turn found in progress is to end. A spent grant proves that it has ended already. */
export function bootOfTurn(node: NodeFacts): string {
  const waitsForReboot = node.state?.requested === true && !inFlight(node);
  const grant = node.state?.grant;
  if (waitsForReboot || openGrant(node) !== undefined || grant?.nodeUID !== node.uid) return node.bootID;
  return grant.bootID;
}

/** The place of a node in a lock, as it is recorded when the node takes it. */
export function holderFor(node: NodeFacts, lock: Lock, { now, identity }: Snapshot, bootID: string): Holder {
  const { topologyKey } = lock.spec;
  return {
    id: node.name,
    uid: node.uid,
    bootID,
    ...(topologyKey === undefined ? {} : { domain: domainOf(lock, node) }),
    since: new Date(node.mark === undefined || node.mark.at === 0 ? now : node.mark.at).toISOString(),
    reason: (node.state?.reasons.join(', ') ?? '').slice(0, 256),
    by: identity,
  };
}
