import { basename, dirname } from 'node:path';
import type { DisruptionRule } from '#api/config-fields.ts';

/** One thing that changes, as disruption rules see it. */
export type Touched =
  | { path: string }
  /** The unit itself: whether it is enabled, or runs. */
  | { unit: string }
  | { setting: 'kernelArguments' | 'sshAuthorizedKeys' };

/** What follows all changes together, each once. */
export interface Effects {
  daemonReload: boolean;
  reload: string[];
  restart: string[];
  drains: boolean;
  reboots: boolean;
}

/** Directories in which a file is a unit, or a directory `NAME.d` holds its drop-ins. */
const UNIT_DIRECTORIES = ['/etc/systemd/system', '/usr/local/lib/systemd/system'];

/**
 * What follows the changes: for each the first rule that matches it decides. A unit that is restarted need not be
 * reloaded, and nothing is done to the units of a node that reboots.
 */
export function effectsOf(touched: readonly Touched[], rules: readonly DisruptionRule[]): Effects {
  const followed = touched.flatMap((one) => {
    const rule = rules.find(({ match }) => matches(match, one));
    return rule === undefined ? [] : [{ one, rule }];
  });
  // That a unit is enabled or started is no reason to restart it.
  const units = (action: string) =>
    followed.flatMap(({ one, rule }) =>
      rule.action === action && rule.unit !== undefined && !('unit' in one) ? [rule.unit] : [],
    );
  const actions = new Set(followed.map(({ rule }) => rule.action));
  const unitFiles = touched.some((one) => 'path' in one && unitOf(one.path) !== undefined);
  return tidy({
    daemonReload: unitFiles || actions.has('DaemonReload'),
    reload: units('Reload'),
    restart: [...units('Restart'), ...units('Drain')],
    drains: actions.has('Drain'),
    reboots: actions.has('Reboot'),
  });
}

/** Two sets of changes, each followed by its own rules, at once. */
export function joinEffects(a: Effects, b: Effects): Effects {
  return tidy({
    daemonReload: a.daemonReload || b.daemonReload,
    reload: [...a.reload, ...b.reload],
    restart: [...a.restart, ...b.restart],
    drains: a.drains || b.drains,
    reboots: a.reboots || b.reboots,
  });
}

function tidy(effects: Effects): Effects {
  const { reboots } = effects;
  const restart = reboots ? [] : sorted(effects.restart);
  const reload = reboots ? [] : sorted(effects.reload.filter((unit) => !restart.includes(unit)));
  return { ...effects, restart, reload };
}

function matches({ path, unit, setting }: DisruptionRule['match'], one: Touched): boolean {
  if (setting !== undefined) return 'setting' in one && one.setting === setting;
  if (unit !== undefined)
    return 'unit' in one ? one.unit === unit : 'path' in one && unitOf(one.path) === unit;
  if (path === undefined || !('path' in one)) return false;
  return path.endsWith('/') ? one.path.startsWith(path) : one.path === path;
}

/** The unit that a file belongs to: its own, or that of a drop-in. */
export function unitOf(path: string): string | undefined {
  const directory = dirname(path);
  if (UNIT_DIRECTORIES.includes(directory)) return basename(path).replace(/\.d$/, '');
  if (!UNIT_DIRECTORIES.includes(dirname(directory)) || !directory.endsWith('.d')) return undefined;
  return basename(directory).slice(0, -'.d'.length);
}

function sorted(units: readonly string[]): string[] {
  return [...new Set(units)].toSorted();
}
