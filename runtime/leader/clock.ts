/**
 * Time that runs on while the process is stopped. A stopped process sees both clocks ahead when it goes on;
 * a wall clock that is set back does not stretch a term, one that is set forward only ends it early.
 */
export interface Instant {
  monotonicMs: number;
  wallMs: number;
}

export type Clock = () => Instant;

export const systemClock: Clock = () => ({ monotonicMs: performance.now(), wallMs: Date.now() });

/** Milliseconds from one instant to a later one: the longer of what the two clocks say. */
export function elapsedMs(from: Instant, to: Instant): number {
  return Math.max(to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs);
}
