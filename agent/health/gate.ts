import type { HealthCheck, HealthGate } from '#api/health.ts';
import { durationMs } from '#api/fields.ts';

/** One check as it came out in one round. */
export interface CheckResult {
  name: string;
  passed: boolean;
  /** At most 512 characters. */
  message: string;
}

export type GateVerdict =
  | { verdict: 'Passed' }
  | { verdict: 'Waiting'; remainingMs: number }
  | { verdict: 'Expired'; message: string };

/**
 * Judges the gate of a first boot. `results` are of one round, so that all checks passed at the same time;
 * undefined before the first round. `sinceBootMs` is counted by a clock that nobody sets.
 */
export function evaluateGate(
  gate: HealthGate,
  results: readonly CheckResult[] | undefined,
  sinceBootMs: number,
): GateVerdict {
  if (results !== undefined && passesAll(gate.checks, results)) return { verdict: 'Passed' };
  const remainingMs = durationMs(gate.deadline) - sinceBootMs;
  if (remainingMs > 0) return { verdict: 'Waiting', remainingMs };
  return {
    verdict: 'Expired',
    message: `not healthy within ${gate.deadline} of the boot: ${explain(gate.checks, results)}`,
  };
}

/** A check without a result has not passed. */
function passesAll(checks: readonly HealthCheck[], results: readonly CheckResult[]): boolean {
  return checks.every(({ name }) => results.some((result) => result.name === name && result.passed));
}

function explain(checks: readonly HealthCheck[], results: readonly CheckResult[] | undefined): string {
  const failing = checks
    .map(
      ({ name }) =>
        results?.find((result) => result.name === name) ?? { name, passed: false, message: 'not run' },
    )
    .filter(({ passed }) => !passed);
  return failing
    .map(({ name, message }) => `${name}: ${message}`)
    .join('; ')
    .slice(0, 800);
}
