import type { DocumentUnit } from '#api/config-document.ts';
import type { UnitFacts } from './units.ts';

/** What is to be done with one unit, beside its files, and what it was before. */
export interface UnitChange {
  name: string;
  enable?: boolean;
  /** True: it is to run; false: it is to stop. */
  run?: boolean;
}

/** How a unit was before careen first changed it; what is not there was not changed. */
export interface UnitBefore {
  enabled?: boolean | undefined;
  ran?: boolean | undefined;
}

/**
 * What brings the units from what they are to what is wanted. `owned` are those that careen changed before: one that
 * is wanted no more gets back what it had. A unit without [Install] cannot be enabled, and is taken as it is.
 */
export function planUnits(
  wanted: readonly DocumentUnit[],
  facts: readonly UnitFacts[],
  owned: Readonly<Record<string, UnitBefore>>,
): UnitChange[] {
  const known = new Map(facts.map((fact) => [fact.name, fact]));
  const names = new Set(wanted.map(({ name }) => name));
  const given = Object.entries(owned).filter(([name]) => !names.has(name));
  return [
    ...wanted.map((unit) => changeOf(unit, known.get(unit.name))),
    ...given.map(([name, before]) => restored(name, before, known.get(name))),
  ]
    .filter(({ enable, run }) => enable !== undefined || run !== undefined)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function changeOf({ name, enabled, state, mask }: DocumentUnit, fact: UnitFacts | undefined): UnitChange {
  const enable = enabled === undefined || mask || enabled === isEnabled(fact) ? undefined : enabled;
  const run = state === undefined ? undefined : state === 'Started';
  return {
    name,
    ...(enable === undefined || (enable && fact?.enablement === 'static') ? {} : { enable }),
    ...(run === undefined || run === isRunning(fact) ? {} : { run }),
  };
}

function restored(name: string, { enabled, ran }: UnitBefore, fact: UnitFacts | undefined): UnitChange {
  return {
    name,
    ...(enabled === undefined || enabled === isEnabled(fact) ? {} : { enable: enabled }),
    ...(ran === undefined || ran === isRunning(fact) ? {} : { run: ran }),
  };
}

export function isEnabled(fact: UnitFacts | undefined): boolean {
  return fact?.enablement === 'enabled' || fact?.enablement === 'alias';
}

export function isRunning(fact: UnitFacts | undefined): boolean {
  return ['active', 'reloading', 'activating', 'refreshing'].includes(fact?.active ?? '');
}
