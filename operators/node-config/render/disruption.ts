import { canonicalJson } from '#api/config-hash.ts';
import type { DisruptionRule } from '#api/config-fields.ts';
import type { Lowered } from './claims.ts';
import { DEFAULT_DISRUPTION, defaultForUnit } from './default-disruption.ts';
import { HOSTNAME_FILE, MODULES_FILE, SYSCTL_FILE, TIMEZONE_LINK } from './generated-paths.ts';
import type { Conflict } from './rendered.ts';
import { unitOfPath } from './unit-paths.ts';

type Match = DisruptionRule['match'];

/** Sections that are a path on the disk; the agent knows them by it. */
const PATHS: Partial<Record<NonNullable<Match['setting']>, string>> = {
  sysctls: SYSCTL_FILE,
  kernelModules: MODULES_FILE,
  hostname: HOSTNAME_FILE,
  timezone: TIMEZONE_LINK,
};

/**
 * The rules of a document: those of the users, higher priority first and each config's in its own order, then the
 * defaults of its units, then those of paths. The first that matches decides.
 */
export function disruptionRules(sets: readonly Lowered[], units: readonly string[]): DisruptionRule[] {
  const given = sets.toSorted(byPriority).flatMap(({ rules }) => rules.map(lowerRule));
  return distinct([...given, ...units.map(defaultForUnit), ...DEFAULT_DISRUPTION]);
}

/** Rules of different configs, of one priority, that answer differently for the same change. */
export function conflictingRules(sets: readonly Lowered[]): Conflict[] {
  const all = sets.flatMap(({ owner, priority, rules }) =>
    rules.map((rule) => ({ owner, priority, rule: lowerRule(rule) })),
  );
  return all.flatMap((one, index) =>
    all.slice(index + 1).flatMap((other) => {
      if (one.owner === other.owner || one.priority !== other.priority) return [];
      if (!overlap(one.rule.match, other.rule.match) || sameOutcome(one.rule, other.rule)) return [];
      const about = [one, other].map(({ rule }) => nameOfMatch(rule.match)).toSorted();
      const what = `what follows a change of ${[...new Set(about)].join(' and ')}`;
      return [{ what, owners: [one.owner, other.owner].toSorted() }];
    }),
  );
}

function byPriority(a: Lowered, b: Lowered): number {
  return b.priority - a.priority || (a.owner < b.owner ? -1 : 1);
}

function lowerRule(rule: DisruptionRule): DisruptionRule {
  const path = rule.match.setting === undefined ? undefined : PATHS[rule.match.setting];
  return path === undefined ? rule : { ...rule, match: { path } };
}

function overlap(one: Match, other: Match): boolean {
  if (one.path !== undefined && other.path !== undefined) {
    return covers(one.path, other.path) || covers(other.path, one.path);
  }
  if (one.setting !== undefined || other.setting !== undefined) return one.setting === other.setting;
  if (one.unit !== undefined && other.unit !== undefined) return one.unit === other.unit;
  const path = one.path ?? other.path ?? '';
  const unit = one.unit ?? other.unit ?? '';
  return (
    unitOfPath(path)?.unit === unit ||
    covers(path, `/etc/systemd/system/${unit}`) ||
    path === `/etc/systemd/system/${unit}.d/`
  );
}

function covers(pattern: string, path: string): boolean {
  return pattern === path || (pattern.endsWith('/') && path.startsWith(pattern));
}

function sameOutcome(one: DisruptionRule, other: DisruptionRule): boolean {
  return one.action === other.action && one.unit === other.unit;
}

function nameOfMatch({ path, unit, setting }: Match): string {
  return path ?? unit ?? setting ?? '';
}

/** A rule that stands before itself never decides. */
function distinct(rules: readonly DisruptionRule[]): DisruptionRule[] {
  return [
    ...new Map(rules.map((rule) => [canonicalJson(rule.match), rule] as const).toReversed()).values(),
  ].toReversed();
}
