import type { Won } from './claim.ts';
import type { Claims, PathValue } from './claims.ts';
import { driftOf } from './drift.ts';
import { unitPath } from './generated-paths.ts';

/** The link that masks a unit takes the place of the unit's file; its drop-ins stay and have no effect. */
export function applyMasks(
  paths: Map<string, Won<PathValue>>,
  masked: ReadonlyMap<string, Won<boolean>>,
  units: Claims['units'],
): void {
  for (const { key: unit, value, from, priority, critical } of masked.values()) {
    if (!value) continue;
    const key = unitPath(unit);
    const link: PathValue = {
      kind: 'link',
      target: '/dev/null',
      onRemove: 'Restore',
      drift: driftOf(units, unit, from),
    };
    paths.set(key, { key, value: link, from, priority, critical });
  }
}
