import { unitName } from '#api/config-fields.ts';
import { UNIT_DIRECTORY } from './generated-paths.ts';

/** What a path below /etc/systemd/system says of a unit. */
export type UnitPath = { unit: string; dropin?: string };

/** Undefined: the path is no unit file and no drop-in. */
export function unitOfPath(path: string): UnitPath | undefined {
  if (!path.startsWith(`${UNIT_DIRECTORY}/`)) return undefined;
  const [first = '', second, ...more] = path.slice(UNIT_DIRECTORY.length + 1).split('/');
  if (more.length > 0) return undefined;
  if (second === undefined) return isUnit(first) ? { unit: first } : undefined;
  const unit = first.replace(/\.d$/, '');
  return unit !== first && isUnit(unit) && second.endsWith('.conf') ? { unit, dropin: second } : undefined;
}

/** Whether a link does what `systemctl mask` does. */
export function isMask({ path, target }: { path: string; target: string }): boolean {
  const found = unitOfPath(path);
  return found !== undefined && found.dropin === undefined && target === '/dev/null';
}

export function isUnit(name: string): boolean {
  return unitName.safeParse(name).success;
}
