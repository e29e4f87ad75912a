import { elapsedMs, type Instant } from './clock.ts';
import type { Lease } from './lease.ts';

/** A state of the lease and when it was first seen here; the holder's own clock is never trusted. */
export interface Observation {
  version: string;
  at: Instant;
}

/** Keeps the time of the first sight while the lease does not change. */
export function observe(before: Observation | undefined, lease: Lease, now: Instant): Observation {
  const version = lease.metadata.resourceVersion ?? '';
  return before?.version === version ? before : { version, at: now };
}

/**
 * Whether the lease may be taken: it is free, or its holder has let it be for the whole duration that it
 * asked for, and never less than ours, since it was last seen to change.
 */
export function mayTake(lease: Lease, seen: Observation, now: Instant, leaseDurationMs: number): boolean {
  if (!lease.spec?.holderIdentity) return true;
  const promisedMs = (lease.spec.leaseDurationSeconds ?? 0) * 1000;
  return elapsedMs(seen.at, now) > Math.max(promisedMs, leaseDurationMs);
}
