import type { Node, NodeCondition } from '#api/meta.ts';
import { begun, inFlight, openGrant, type NodeFacts } from '../lock/facts.ts';

/**
 * What a Node says while careen holds it, by the names that KEP-5683 proposes. Ours begin their reason with Careen;
 * conditions of the same type with another reason are another tool's.
 */
export const CONDITION_TYPES = [
  'MaintenancePlanned',
  'DrainInProgress',
  'Drained',
  'MaintenanceInProgress',
] as const;

export type Said = Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>;

const OURS = 'Careen';

export function isOurs({ type, reason = '' }: Pick<NodeCondition, 'type' | 'reason'>): boolean {
  return reason.startsWith(OURS) && CONDITION_TYPES.some((one) => one === type);
}

/** Our conditions on a Node, as they stand there. */
export function ourConditions(node: Node): NodeCondition[] {
  return (node.status?.conditions ?? []).filter((condition) => isOurs(condition));
}

/**
 * What a Node should say of its turn: that it drains, then that it is drained and goes down, and nothing from the
 * uncordoning on. Two states and their end are three writes; a finer account would cost more than it tells.
 */
export function wantedConditions(node: NodeFacts): Said[] {
  if (node.mark === undefined || !begun(node)) return [];
  const drain = openGrant(node)?.mode === 'drain' || (!goesDown(node) && node.state?.kind === 'Drain');
  const planned = drain
    ? said('MaintenancePlanned', 'CareenDrain', 'careen holds the node for a change of its configuration')
    : said('MaintenancePlanned', 'CareenReboot', 'careen holds the node for a reboot');
  if (!goesDown(node)) return [planned, said('DrainInProgress', 'CareenDraining', 'its pods are leaving')];
  return [
    planned,
    said('Drained', 'CareenDrained', 'its pods have left'),
    drain
      ? said('MaintenanceInProgress', 'CareenConfiguring', 'its configuration is changed, or is looked at')
      : said('MaintenanceInProgress', 'CareenRebooting', 'it may reboot, reboots, or is looked at after it'),
  ];
}

function said(type: (typeof CONDITION_TYPES)[number], reason: string, message: string): Said {
  return { type, status: 'True', reason, message };
}

/** From its grant on, until it is uncordoned: a spent grant shows that the boot of this turn is over. */
function goesDown(node: NodeFacts): boolean {
  const { state, uid } = node;
  return (
    openGrant(node) !== undefined ||
    inFlight(node) ||
    (state?.grant !== undefined && state.grant.nodeUID === uid)
  );
}

/** Whether what stands there says the same; times and messages do not matter. */
export function sameConditions(found: readonly Said[], wanted: readonly Said[]): boolean {
  return print(found) === print(wanted);
}

function print(conditions: readonly Said[]): string {
  return conditions
    .map(({ type, status, reason }) => `${type}=${status} ${reason}`)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .join();
}
