import type { DocumentUnit } from '#api/config-document.ts';
import type { UnitFacts } from '../units/units.ts';
import { isCriticalUnit } from '../units/unit-rules.ts';
import { isEnabled } from '../units/plan-units.ts';
import type { Difference } from './difference.ts';

/** How a unit is not as it should be any more, and so what makes it so again. */
export interface UnitDrift extends Difference {
  kind: 'Unit';
  unmask: boolean;
  enable?: boolean | undefined;
  /** True: it is to run; false: it is to stop. */
  run?: boolean | undefined;
}

const RUNS = ['active', 'reloading', 'refreshing'];
const RESTS = ['inactive', 'failed'];

/**
 * What others have done to units that are wanted enabled or disabled, running or stopped. What is on its way is not
 * judged, nor a service that is over because its work is done. Units that are masked have a link that says so, which
 * is a file like others. Pure.
 */
export function unitDrifts(wanted: readonly DocumentUnit[], facts: readonly UnitFacts[]): UnitDrift[] {
  const known = new Map(facts.map((fact) => [fact.name, fact]));
  return wanted.flatMap((unit) => {
    const fact = known.get(unit.name);
    return fact === undefined ? [] : driftOf(unit, fact);
  });
}

function driftOf(unit: DocumentUnit, fact: UnitFacts): UnitDrift[] {
  const { name, drift: policy, mask } = unit;
  if (policy === 'Ignore' || mask) return [];
  const unmask = isMasked(fact) && (unit.enabled === true || unit.state === 'Started');
  const enable = enabling(unit, fact);
  const run = running(unit, fact);
  if (!unmask && enable === undefined && run === undefined) return [];
  return [{ path: name, kind: 'Unit', policy: policyOf(name, policy, [enable, run]), unmask, enable, run }];
}

/** What the node hangs on is stopped by nobody who has not drained it. */
function policyOf(
  name: string,
  policy: 'Heal' | 'Report',
  changes: readonly (boolean | undefined)[],
): 'Heal' | 'Report' {
  return isCriticalUnit(name) && changes.includes(false) ? 'Report' : policy;
}

function isMasked({ enablement }: UnitFacts): boolean {
  return enablement === 'masked' || enablement === 'masked-runtime';
}

/** A unit that cannot be enabled (static, generated, transient, …) was not enabled before either. */
function enabling({ enabled }: DocumentUnit, fact: UnitFacts): boolean | undefined {
  if (enabled === true && fact.enablement === 'disabled') return true;
  return enabled === false && isEnabled(fact) ? false : undefined;
}

function running({ state }: DocumentUnit, { active, pending, ends }: UnitFacts): boolean | undefined {
  if (pending) return undefined;
  if (state === 'Started' && RESTS.includes(active) && !ends) return true;
  return state === 'Stopped' && RUNS.includes(active) ? false : undefined;
}
