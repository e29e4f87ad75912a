import type { CheckResult } from '#agent/health/gate.ts';
import type { ChangeMeta } from './change-meta.ts';

/** How the probes of a change went, as this process has seen; times by the clock that nobody sets, ms. */
export interface Probing {
  /** Since when the change waits for its confirmation. */
  since: number;
  /** Since when all probes have passed without a break. */
  passingSince?: number | undefined;
  results: readonly CheckResult[];
}

export type Confirmed =
  { verdict: 'Confirmed' } | { verdict: 'Probe'; waitMs: number } | { verdict: 'Failed'; message: string };

/** Between two rounds of probes. */
const ROUND_MS = 1000;

/** The probing after one more round; a single failure begins the count anew. */
export function probed(before: Probing, results: readonly CheckResult[], now: number): Probing {
  const passed = results.every((result) => result.passed);
  const { since, passingSince = now } = before;
  return { since, results, ...(passed ? { passingSince } : {}) };
}

/** Whether the change counts, is to be probed again, or is to be undone. */
export function judge(
  { settleMs, timeoutMs }: ChangeMeta['confirm'],
  probing: Probing,
  now: number,
): Confirmed {
  const { passingSince, since, results } = probing;
  if (passingSince !== undefined && now - passingSince >= settleMs) return { verdict: 'Confirmed' };
  if (now - since < timeoutMs) return { verdict: 'Probe', waitMs: results.length === 0 ? 0 : ROUND_MS };
  const failing = results.filter(({ passed }) => !passed).map(({ name, message }) => `${name}: ${message}`);
  const why = failing.length === 0 ? 'the probes did not hold long enough' : failing.join('; ');
  return { verdict: 'Failed', message: `not confirmed within ${timeoutMs / 1000} s: ${why}`.slice(0, 1024) };
}
