import { MINUTE_MS } from './units.ts';

const HOUR_MS = 60 * MINUTE_MS;

/** When update_engine makes its first check after it has started, and how wide that is spread, in ms. */
export const FIRST_CHECK = { intervalMs: 7 * MINUTE_MS, fuzzMs: 10 * MINUTE_MS };
const PERIODIC_MS = 45 * MINUTE_MS;
const LONGEST_MS = 4 * HOUR_MS;
const REGULAR_FUZZ_MS = 10 * MINUTE_MS;

/** What the next check depends on. */
export interface Last {
  /** Of the last check before fuzz, in ms. */
  intervalMs: number;
  /** What the server asked for, in seconds; 0 for nothing. */
  pollInterval: number;
  /** HTTP status of the last check or download. */
  httpStatus: number;
}

/** An interval and the whole width of its fuzz, in ms. */
export interface Interval {
  intervalMs: number;
  fuzzMs: number;
}

/**
 * When update_engine checks again (UpdateCheckScheduler::ComputeNextIntervalAndFuzz): the server's PollInterval,
 * or twice the last interval after 500 and 503, within 45 minutes and 4 hours. These two are fuzzed by half of
 * themselves to both sides, the usual 45 minutes by five minutes.
 */
export function nextCheck({ intervalMs, pollInterval, httpStatus }: Last): Interval {
  const backsOff = httpStatus === 500 || httpStatus === 503;
  const wished = pollInterval > 0 ? pollInterval * 1000 : backsOff ? 2 * intervalMs : 0;
  const bounded = Math.min(wished, LONGEST_MS);
  if (bounded < PERIODIC_MS) return { intervalMs: PERIODIC_MS, fuzzMs: REGULAR_FUZZ_MS };
  return { intervalMs: bounded, fuzzMs: bounded };
}

/** `intervalMs` moved by up to half of `fuzzMs` either way; `random` is in [0, 1). */
export function fuzzed({ intervalMs, fuzzMs }: Interval, random: number): number {
  return Math.max(0, intervalMs + (random - 0.5) * fuzzMs);
}
