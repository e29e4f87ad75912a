import { durationMs } from '#api/fields.ts';

/** A hundred years: more than anybody waits for, and still a date. */
const LONGEST_MS = 100 * 365 * 86_400_000;

/** Milliseconds of a duration that instants are reckoned with; a longer one would give no date any more. */
export function spanMs(duration: string): number {
  return Math.min(durationMs(duration), LONGEST_MS);
}
