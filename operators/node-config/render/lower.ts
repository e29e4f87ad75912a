import type { NodeConfig } from '#api/kinds.ts';
import { checkOwn } from './check-own.ts';
import type { Lowered, Owned } from './claims.ts';
import { lowerPaths } from './lower-paths.ts';
import { lowerSettings } from './lower-settings.ts';
import { lowerUnits } from './lower-units.ts';
import type { Lookup, Problem } from './rendered.ts';
import { withIgnition } from './with-ignition.ts';

/** One NodeConfig as claims, and all that is wrong with it by itself. */
export function lower(config: NodeConfig, configMaps: Lookup): { lowered: Lowered; problems: Problem[] } {
  const { spec, problems } = withIgnition(config);
  const { priority, allowCritical: critical, disruption: rules, confirm } = spec;
  const from: Owned = { owner: config.metadata.name, priority, critical, spec };
  const paths = lowerPaths(from, configMaps, problems);
  const claims = { paths, ...lowerUnits(from), ...lowerSettings(from) };
  const lowered = { owner: from.owner, priority, claims, rules, confirm };
  return { lowered, problems: [...problems, ...checkOwn(from, lowered)] };
}
