export interface Backoff {
  baseMs: number;
  maxMs: number;
}

/** controller-runtime starts at 5 ms and ends at 1000 s; careen ends earlier, since a node waits for it. */
export const DEFAULT_BACKOFF: Backoff = { baseMs: 50, maxMs: 60_000 };

/**
 * The delay after `failures` failures in a row (1, 2, …): doubled each time up to the maximum, then a
 * random share between half and the whole of it, so that keys which failed together do not come back together.
 */
export function backoffMs(failures: number, { baseMs, maxMs }: Backoff, random: number): number {
  const whole = Math.min(maxMs, baseMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return whole / 2 + (whole / 2) * random;
}
