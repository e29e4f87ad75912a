import { setTimeout as delay } from 'node:timers/promises';

/** The longest that a timer of Node takes; a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Waits `ms` (Infinity: as long as can be), or until `signal` aborts; never rejects. */
export async function sleepUntil(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(Math.min(ms, LONGEST_MS), undefined, { signal });
  } catch {
    // Woken: there is something new to look at.
  }
}
