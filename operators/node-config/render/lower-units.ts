import { claim, type Claims, type Owned } from './claims.ts';
import { isMask, unitOfPath } from './unit-paths.ts';

type UnitClaims = Pick<Claims, 'units' | 'masked' | 'enabled' | 'states'>;

/** What a NodeConfig wants of units beside their files. */
export function lowerUnits(from: Owned): UnitClaims {
  const { units, drift } = from.spec;
  return {
    units: units.map(({ name }) => ({ ...claim<true>(from, name, true), drift })),
    masked: lowerMasks(from),
    enabled: units.flatMap(({ name, enabled }) =>
      enabled === undefined ? [] : [claim(from, name, enabled)],
    ),
    states: units.flatMap(({ name, state }) => (state === undefined ? [] : [claim(from, name, state)])),
  };
}

/** Who gives a unit contents, enables it or starts it wants it not masked, without saying so. */
function lowerMasks(from: Owned): UnitClaims['masked'] {
  const { units, files, links } = from.spec;
  const said = units.flatMap((unit) => {
    const used = unit.contents !== undefined || unit.enabled === true || unit.state === 'Started';
    return unit.mask || used ? [claim(from, unit.name, unit.mask)] : [];
  });
  const filed = [...files, ...links].flatMap((item) => {
    const found = unitOfPath(item.path);
    if (found === undefined || found.dropin !== undefined) return [];
    return [claim(from, found.unit, 'target' in item && isMask(item))];
  });
  return [...said, ...filed];
}
