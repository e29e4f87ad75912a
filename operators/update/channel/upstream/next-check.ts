const LONGEST_MS = 4 * 60 * 60_000;
/** Of 45 minutes, ten: five before, five after. */
const FUZZ = 10 / 45;

/** What the time of the next check depends on. */
export interface Outcome {
  /** As the channel has it, in ms. */
  intervalMs: number;
  /** As the server wishes, in seconds; 0 for nothing. */
  pollInterval: number;
  /** Checks in vain, one after another, up to now. */
  failures: number;
  /** In [0, 1). */
  random: number;
}

/**
 * How long to wait before the next check, in ms. The server may ask for more than the channel does, up to four hours;
 * each check in vain doubles the wait, up to four hours as well. Spread like update_engine's.
 */
export function waitMs({ intervalMs, pollInterval, failures, random }: Outcome): number {
  const longest = Math.max(LONGEST_MS, intervalMs);
  const wished = Math.min(Math.max(intervalMs, pollInterval * 1000), longest);
  const wait = Math.min(wished * 2 ** Math.min(failures, 20), longest);
  return Math.round(wait * (1 + (random - 0.5) * FUZZ));
}
