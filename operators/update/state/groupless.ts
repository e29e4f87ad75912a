import type { RolloutReason, Verdict } from '#api/reasons.ts';
import type { Membership } from '../group/membership.ts';

/** Why a node that is in no group is given nothing; undefined for a node that is in one. */
export function grouplessVerdict(membership: Membership): Verdict<RolloutReason> | undefined {
  switch (membership.in) {
    case 'group':
      return undefined;
    case 'none':
      return { reason: 'NoGroup', message: 'no NodeGroup selects this node' };
    case 'conflict': {
      const names = membership.groups.join(' and ');
      const message = `groups ${names} select this node with equal priority; change a selector or a priority`;
      return { reason: 'GroupConflict', message };
    }
  }
}
