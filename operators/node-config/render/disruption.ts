import { canonicalJson } from '#api/config-hash.ts';
import type { DisruptionRule } from '#api/config-fields.ts';
import type { Lowered } from './claims.ts';
import { DEFAULT_DISRUPTION, defaultForUnit } from './default-disruption.ts';
import { HOSTNAME_FILE, MODULES_FILE, SYSCTL_FILE, TIMEZONE_LINK, unitPath } from './generated-paths.ts';
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

/** Changes for which two configs of one priority have different answers. */
export function conflictingRules(sets: readonly Lowered[]): Conflict[] {
  return sets.flatMap((one, index) =>
    sets.slice(index + 1).flatMap((other) => {
      if (one.priority !== other.priority) return [];
      const [mine, theirs] = [one.rules.map(lowerRule), other.rules.map(lowerRule)];
      // Of two matches that meet, one lies within the other, so that these are all changes there are to ask for.
      const about = [...mine, ...theirs]
        .map(({ match }) => match)
        .filter((match) => differ(match, mine, theirs));
      return [...new Set(about.map(nameOfMatch))].map((name) => ({
        what: `what follows a change of ${name}`,
        owners: [one.owner, other.owner].toSorted(),
      }));
    }),
  );
}

function differ(match: Match, mine: readonly DisruptionRule[], theirs: readonly DisruptionRule[]): boolean {
  const one = mine.find((rule) => covers(rule.match, match));
  const other = theirs.find((rule) => covers(rule.match, match));
  return one !== undefined && other !== undefined && (one.action !== other.action || one.unit !== other.unit);
}

/** Whether one match takes all that the other does. */
function covers(match: Match, inner: Match): boolean {
  if (match.setting !== undefined) return match.setting === inner.setting;
  if (match.unit !== undefined) return match.unit === unitOf(inner);
  return (
    match.path !== undefined && coversPath(match.path, inner.path ?? (inner.unit && unitPath(inner.unit)))
  );
}

function unitOf({ path, unit }: Match): string | undefined {
  return (
    unit ?? (path === undefined ? undefined : unitOfPath(path.endsWith('.d/') ? `${path}x.conf` : path)?.unit)
  );
}

function coversPath(pattern: string, path: string | undefined): boolean {
  return path !== undefined && (pattern === path || (pattern.endsWith('/') && path.startsWith(pattern)));
}

function byPriority(a: Lowered, b: Lowered): number {
  return b.priority - a.priority || (a.owner < b.owner ? -1 : 1);
}

function lowerRule(rule: DisruptionRule): DisruptionRule {
  const path = rule.match.setting === undefined ? undefined : PATHS[rule.match.setting];
  return path === undefined ? rule : { ...rule, match: { path } };
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
