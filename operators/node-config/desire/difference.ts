import type { NodeConfig } from '#api/kinds.ts';
import type { RenderedConfigSpec } from '#api/rendered-config.ts';
import { secretsOf } from '../render/identity.ts';

type Sources = RenderedConfigSpec['sources'];

/**
 * The NodeConfigs that must admit a change of a node: those that say something else than what is in force on it.
 * Where all say the same as before, something that they refer to has changed: that is a Secret where any of them has
 * one, else a value of the node; or a config that the node had is gone, and then all must.
 *
 * `inForce` are the sources of the RenderedConfig in force; undefined where nothing is, or it is not known.
 */
export function differing(
  configs: readonly NodeConfig[],
  wanted: Sources,
  inForce: Sources | undefined,
): string[] {
  const before = new Map((inForce ?? []).map(({ name, hash }) => [name, hash]));
  const changed = wanted.filter(({ name, hash }) => before.get(name) !== hash);
  if (changed.length > 0) return changed.map(({ name }) => name);
  const isGone = before.size > wanted.length;
  return (isGone ? configs : variable(configs)).map(({ metadata }) => metadata.name);
}

function variable(configs: readonly NodeConfig[]): readonly NodeConfig[] {
  const withSecrets = configs.filter((config) => secretsOf(config).length > 0);
  if (withSecrets.length > 0) return withSecrets;
  const withValues = configs.filter(({ spec }) => JSON.stringify(spec).includes('${node.'));
  return withValues.length > 0 ? withValues : configs;
}
