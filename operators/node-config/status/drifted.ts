import type { NodeState } from '#api/kinds.ts';
import type { Desired } from '../desire/desires.ts';
import type { RenderedDocument } from '../render/rendered.ts';

/** By config: how many nodes say that others changed something of it, and it is not as it should be again. */
export function driftedBy(
  states: readonly NodeState[],
  desired: ReadonlyMap<string, Desired>,
): Map<string, number> {
  const counts = new Map<string, number>();
  const owners = new Map<RenderedDocument, Map<string, readonly string[]>>();
  for (const { metadata, status } of states) {
    const paths = (status?.config?.drift ?? []).filter(({ healed }) => !healed).map(({ path }) => path);
    const one = desired.get(metadata.name);
    if (paths.length === 0 || one?.kind !== 'bundle') continue;
    const of = owners.get(one.rendered) ?? ownersIn(one.rendered);
    owners.set(one.rendered, of);
    for (const config of new Set(paths.flatMap((path) => of.get(path) ?? []))) {
      counts.set(config, (counts.get(config) ?? 0) + 1);
    }
  }
  return counts;
}

function ownersIn({ document }: RenderedDocument): Map<string, readonly string[]> {
  const { files, directories, links, units } = document;
  const paths = [...files, ...directories, ...links].map(({ path, from }) => [path, from] as const);
  return new Map([...paths, ...units.map(({ name, from }) => [name, from] as const)]);
}
