import type { Decided, Won } from './claim.ts';
import { decide } from './claim.ts';
import type { Claims, PathValue, UnitState } from './claims.ts';
import { describePath, describeUnder } from './describe.ts';
import { applyMasks } from './masks.ts';
import type { Conflict } from './rendered.ts';
import { conflictsBelow } from './structure.ts';
import { claimsOfSysctlFiles } from './sysctl-files.ts';
import { aliasClaims, aliasesOf, underRealNames } from './unit-aliases.ts';

/** What a set of NodeConfigs comes to, thing by thing, and on what they do not agree. */
export interface Merged {
  paths: Map<string, Won<PathValue>>;
  units: Map<string, Won<true>>;
  masked: Map<string, Won<boolean>>;
  enabled: Map<string, Won<boolean>>;
  states: Map<string, Won<UnitState>>;
  sysctls: Map<string, Won<string>>;
  modules: Map<string, Won<true>>;
  arguments: Map<string, Won<'add' | 'remove'>>;
  argumentLists: Map<string, Won<string[]>>;
  keys: Map<string, Won<string>>;
  validate: Map<string, Won<string[]>>;
  probes: Map<string, Won<Claims['probes'][number]['value']>>;
  /** All claims that were heard, for those who look up what an owner said beside. */
  claims: Claims;
  conflicts: Conflict[];
}

export function merge(all: readonly Claims[]): Merged {
  const conflicts: Conflict[] = [];
  const settle = <V>({ won, conflicts: found }: Decided<V>) => {
    conflicts.push(...found);
    return won;
  };
  const claims = withAliases(concat(all));
  const paths = settle(decide(claims.paths, describePath));
  const masked = settle(decide(claims.masked, describeUnder('whether unit', ' is masked')));
  applyMasks(paths, masked, claims.units);
  conflicts.push(...conflictsBelow(paths));
  const sysctls = [...claims.sysctls, ...claimsOfSysctlFiles(paths)];
  return {
    paths,
    masked,
    units: settle(decide(claims.units, describeUnder('unit'))),
    enabled: settle(decide(claims.enabled, describeUnder('whether unit', ' is enabled'))),
    states: settle(decide(claims.states, describeUnder('whether unit', ' runs'))),
    sysctls: settle(decide(sysctls, describeUnder('sysctl'))),
    modules: settle(decide(claims.modules, describeUnder('kernel module'))),
    arguments: settle(decide(claims.arguments, describeUnder('kernel argument'))),
    argumentLists: settle(decide(claims.argumentLists, describeUnder('kernel argument', '=…'))),
    keys: settle(decide(claims.keys, describeKey)),
    validate: settle(decide(claims.validate, describeUnder('validate of'))),
    probes: settle(decide(claims.probes, describeUnder('probe'))),
    claims,
    conflicts: conflicts.map((conflict) => withJoiners(conflict, claims)),
  };
}

/** A unit has one name here: claims under a name that Alias= or a link gives it are claims on the unit itself. */
function withAliases(claims: Claims): Claims {
  const { won } = decide(claims.paths, describePath);
  const aliases = aliasesOf(won);
  if (aliases.size === 0) return claims;
  return underRealNames({ ...claims, paths: [...claims.paths, ...aliasClaims(won)] }, aliases);
}

/** Two wishes of one config for what another's alias made one unit: without that alias they would not meet. */
function withJoiners(conflict: Conflict, { paths }: Claims): Conflict {
  if (conflict.owners.length > 1) return conflict;
  const joiners = paths
    .filter(({ value }) => value.kind === 'alias' || value.kind === 'link')
    .map(({ owner }) => owner);
  return { ...conflict, owners: [...new Set([...conflict.owners, ...joiners])].toSorted() };
}

function concat(all: readonly Claims[]): Claims {
  return {
    paths: all.flatMap(({ paths }) => paths),
    units: all.flatMap(({ units }) => units),
    masked: all.flatMap(({ masked }) => masked),
    enabled: all.flatMap(({ enabled }) => enabled),
    states: all.flatMap(({ states }) => states),
    sysctls: all.flatMap(({ sysctls }) => sysctls),
    modules: all.flatMap(({ modules }) => modules),
    arguments: all.flatMap((claims) => claims.arguments),
    argumentLists: all.flatMap(({ argumentLists }) => argumentLists),
    keys: all.flatMap(({ keys }) => keys),
    validate: all.flatMap(({ validate }) => validate),
    probes: all.flatMap(({ probes }) => probes),
  };
}

/** Not the key itself: a conflict stands in a status of at most 1088 characters. */
function describeKey(key: string): string {
  const [user = '', blob = ''] = key.split(' ');
  return `options of an ssh key of user ${user} (…${blob.slice(-16)})`;
}
