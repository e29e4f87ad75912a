/** How tests went. A check that is no test (format, types, ...) counts as one. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  /** `<file>: <name>` of each test that failed. */
  failures: string[];
  /** How long each file took, if it is known. */
  files: { file: string; ms: number }[];
}

export const noTests: Tally = { passed: 0, failed: 0, skipped: 0, failures: [], files: [] };

export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (all, one) => ({
      passed: all.passed + one.passed,
      failed: all.failed + one.failed,
      skipped: all.skipped + one.skipped,
      failures: [...all.failures, ...one.failures],
      files: [...all.files, ...one.files],
    }),
    noTests,
  );
}

/** A duration as a person reads it: `0.4 s`, `12 s`, `3 min 05 s`. */
export function duration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}
