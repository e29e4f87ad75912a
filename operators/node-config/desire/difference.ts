import type { NodeConfig } from '#api/kinds.ts';
import type { RenderedConfigSpec } from '#api/rendered-config.ts';
import { configMapsOf, secretsOf } from '../render/identity.ts';

type Sources = RenderedConfigSpec['sources'];

/**
 * The NodeConfigs that must admit a change of a node: those that say something else than what is in force on it.
 * Where all say the same as before, a value of the node or a Secret that they refer to has changed, or a config that
 * it had is gone: then those that have such values, or else all of them, must.
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
  const variable = isGone ? [] : configs.filter(isVariable);
  return (variable.length > 0 ? variable : configs).map(({ metadata }) => metadata.name);
}

function isVariable(config: NodeConfig): boolean {
  return (
    secretsOf(config).length > 0 ||
    configMapsOf(config).length > 0 ||
    JSON.stringify(config.spec).includes('${node.')
  );
}
