import type { ObjectMeta } from '#api/meta.ts';
import { microTime } from './micro-time.ts';

/** coordination.k8s.io/v1 Lease, as much of it as an election needs. Times are strings as they came. */
export interface Lease {
  apiVersion: 'coordination.k8s.io/v1';
  kind: 'Lease';
  metadata: ObjectMeta;
  spec?: {
    holderIdentity?: string | null;
    leaseDurationSeconds?: number | null;
    acquireTime?: string | null;
    renewTime?: string | null;
    leaseTransitions?: number | null;
  };
}

export interface LeaseTerms {
  identity: string;
  leaseDurationMs: number;
}

/** The lease to write in order to hold it from now on; keeps `acquireTime` while the holder stays the same. */
export function held(lease: Lease, { identity, leaseDurationMs }: LeaseTerms, now: Date): Lease {
  const before = lease.spec ?? {};
  const mine = before.holderIdentity === identity;
  const transitions = before.leaseTransitions ?? 0;
  return {
    ...lease,
    spec: {
      ...before,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      acquireTime: mine ? (before.acquireTime ?? microTime(now)) : microTime(now),
      renewTime: microTime(now),
      leaseTransitions: mine || !before.holderIdentity ? transitions : transitions + 1,
    },
  };
}

/** The lease to write in order to give it up, so that the next candidate need not wait. */
export function released(lease: Lease, now: Date): Lease {
  const renewTime = microTime(now);
  return { ...lease, spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime } };
}

/** The lease as it is to be deleted with `owner`; unchanged where there is none. */
export function owned(lease: Lease, owner: ObjectMeta['ownerReferences']): Lease {
  return owner === undefined ? lease : { ...lease, metadata: { ...lease.metadata, ownerReferences: owner } };
}
