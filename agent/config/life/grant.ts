import type { Grant } from '#api/node-state.ts';
import type { ConfigRecord } from './config-record.ts';

interface Asked {
  bootID: string;
  /** Milliseconds since 1970. */
  now: number;
  request: { kind: 'Drain' | 'Reboot' } | undefined;
}

/** Why a grant is not one on which the configuration may act, as far as can be judged without a read; undefined: it is. */
export function checkDrainGrant({ bootID, now, request }: Asked, grant: Grant): string | undefined {
  if (grant.bootID !== bootID) return `it is for boot ${grant.bootID}, this is ${bootID}`;
  if (now >= Date.parse(grant.notAfter)) return `it ended at ${grant.notAfter}`;
  if (request === undefined) return 'nothing is asked for';
  if (request.kind === 'Reboot' && grant.mode !== 'reboot') return 'it allows no reboot';
  return undefined;
}

/**
 * Whether the grant answers the request that status.reboot tells now: its id begins with when that began. A grant
 * for an earlier request is about to be replaced.
 */
export function answersRequest({ id }: Grant, since: string): boolean {
  const [request, random] = id.split('/');
  return random === undefined || request === String(Date.parse(since));
}

/**
 * Whether the grant that stands was accepted for what is asked for now. One that was accepted for an earlier request
 * may stand for a while still, and is spent.
 */
export function hasAccepted(
  { accepted, request }: Pick<ConfigRecord, 'accepted' | 'request'>,
  bootID: string,
  grant: Grant | undefined,
): boolean {
  if (accepted === undefined || request === undefined || grant === undefined) return false;
  const isOpen = accepted.bootID === bootID && accepted.id === grant.id;
  const isLater = Date.parse(accepted.request.since) >= Date.parse(request.since);
  return isOpen && isLater && (request.kind === 'Drain' || accepted.mode === 'reboot');
}
