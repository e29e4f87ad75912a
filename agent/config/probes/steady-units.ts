import type { CheckResult } from '#agent/health/gate.ts';
import { ConfigError } from '../config-error.ts';
import type { UnitFacts, Units } from '../units/units.ts';

/**
 * Whether the units that the change has started hold: none has failed, and systemd had to restart none. One that has
 * done its work and ended has not failed.
 */
export async function steadyUnits(names: readonly string[], units: Units): Promise<CheckResult[]> {
  if (names.length === 0) return [];
  try {
    return (await units.facts(names)).map((fact) => judge(fact));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [{ name: 'careen-units', passed: false, message: error.message.slice(0, 512) }];
  }
}

function judge({ name, active, restarts }: UnitFacts): CheckResult {
  const problem =
    active === 'failed'
      ? 'has failed'
      : restarts > 0
        ? `was restarted ${restarts} times by systemd`
        : undefined;
  return {
    name,
    passed: problem === undefined,
    message: problem === undefined ? 'passed' : `${name} ${problem}`,
  };
}
