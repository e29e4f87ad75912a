import type { Claim, Won } from './claim.ts';
import type { Claims, PathValue } from './claims.ts';
import { dropinPath, unitPath } from './generated-paths.ts';
import { isUnit, unitOfPath } from './unit-paths.ts';

type Paths = ReadonlyMap<string, Won<PathValue>>;

/** Other names of units, as links and Alias= of what is wanted give them: name → the unit's own. */
export function aliasesOf(paths: Paths): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  // Of two units that claim one alias (a conflict, unless priority decides) always the same.
  const add = (alias: string, unit: string) => {
    const before = found.get(alias);
    found.set(alias, before !== undefined && before < unit ? before : unit);
  };
  for (const { key, value } of paths.values()) {
    const unit = unitOfPath(key);
    if (unit === undefined || unit.dropin !== undefined) continue;
    if (value.kind === 'link' && isUnit(basename(value.target))) add(unit.unit, basename(value.target));
  }
  for (const { key, value } of aliasClaims(paths)) {
    if (value.kind === 'alias') add(basename(key), value.of);
  }
  return found;
}

/** `systemctl enable` makes a link for each Alias=, at a path that somebody else may want. */
export function aliasClaims(paths: Paths): Claim<PathValue>[] {
  return [...paths.values()].flatMap(({ key, value, from, priority, critical }) => {
    const unit = unitOfPath(key);
    if (unit === undefined || value.kind !== 'file' || !('text' in value.content)) return [];
    const others = aliasesIn(value.content.text).filter((alias) => alias !== unit.unit);
    return others.flatMap((alias) =>
      from.map((owner) => ({
        key: unitPath(alias),
        value: { kind: 'alias' as const, of: unit.unit },
        owner,
        priority,
        critical,
      })),
    );
  });
}

function aliasesIn(text: string): string[] {
  const lines = [...text.matchAll(/^[ \t]*Alias[ \t]*=[ \t]*(.*)$/gm)].flatMap(([, names = '']) =>
    names.split(/\s+/),
  );
  return lines.filter(isUnit);
}

/** All claims on a unit under the unit's own name. */
export function underRealNames(claims: Claims, aliases: ReadonlyMap<string, string>): Claims {
  const real = (name: string) => realName(name, aliases);
  const renamed = <C extends Claim<unknown>>(list: C[]) =>
    list.map((one) => ({ ...one, key: real(one.key) }));
  return {
    ...claims,
    paths: claims.paths.map((one) => ({ ...one, key: realDropin(one.key, real) })),
    units: renamed(claims.units),
    masked: renamed(claims.masked),
    enabled: renamed(claims.enabled),
    states: renamed(claims.states),
  };
}

function realDropin(path: string, real: (name: string) => string): string {
  const found = unitOfPath(path);
  return found?.dropin === undefined ? path : dropinPath(real(found.unit), found.dropin);
}

function realName(name: string, aliases: ReadonlyMap<string, string>): string {
  let found = name;
  for (let steps = 0; steps < 8; steps++) found = aliases.get(found) ?? found;
  return found;
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
