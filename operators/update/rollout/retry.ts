import type { Failure } from './progress.ts';
import type { UpdatePolicy } from './policy.ts';
import { spanMs } from '#operators/rollout/span.ts';

const LONGEST_MS = 3_600_000;

/**
 * What a failure means for its node:
 * `retry` a further attempt is due at `at` (ms since the epoch, possibly past);
 * `quarantined` the version was booted and failed, and nobody has accepted that;
 * `exhausted` it was tried as often as it may be; `accepted` tells whether somebody acknowledged the version.
 */
export type Outlook =
  { next: 'retry'; at: number } | { next: 'quarantined' } | { next: 'exhausted'; accepted: boolean };

/**
 * A failure to stage is retried `retry.limit` times, with a wait that doubles. A version that was booted and
 * failed is not tried again by itself (invariant 13). Once a version is acknowledged, both are tried as often
 * again as the limit says and at least once: what stood in the way, such as a server that was down, may be gone.
 */
export function outlookOf(
  failure: Pick<Failure, 'at' | 'times' | 'since'>,
  version: string,
  { haltOn, retry }: UpdatePolicy['rollout'],
): Outlook {
  const accepted = haltOn.acknowledged.includes(version);
  if (failure.at === 'boot' && !accepted) return { next: 'quarantined' };
  const again = accepted ? Math.max(1, retry.limit) : 0;
  const limit = failure.at === 'boot' ? again : retry.limit + again;
  if (failure.times > limit) return { next: 'exhausted', accepted };
  return { next: 'retry', at: failure.since + backoffMs(spanMs(retry.backoff), failure.times) };
}

/** `base`, doubled with each failure after the first, up to an hour (or `base`, when that is longer). */
export function backoffMs(base: number, failures: number): number {
  return Math.min(base * 2 ** Math.min(failures - 1, 40), Math.max(base, LONGEST_MS));
}
