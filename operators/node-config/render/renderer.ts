import type { NodeConfig } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import { matches } from '#api/selector.ts';
import { identityOf } from './identity.ts';
import { remembered } from './remembered.ts';
import { partOf, renderParts, type Part } from './render-set.ts';
import type { Lookup, Rendered } from './rendered.ts';

/** What the nodes that the same NodeConfigs select have in common. */
export interface NodeSet {
  configs: readonly NodeConfig[];
  rendered: Rendered;
  nodes: readonly Node[];
}

/** Renders that were made before and may be asked for again; some of them belong to sets that no node has any more. */
const KEPT = 2048;

/**
 * Renders sets of NodeConfigs, each once. A config is known by its UID and generation, so that a snapshot of the same
 * objects costs a look-up a node.
 */
export class Renderer {
  readonly #parts = new Map<string, Part>();
  readonly #sets = new Map<string, Rendered>();

  /** Nodes by the set of configs that selects them; nodes that none selects are in no set. */
  render(configs: readonly NodeConfig[], nodes: readonly Node[], configMaps: Lookup): NodeSet[] {
    const ids = configs.map((config) => identityOf(config, configMaps));
    const groups = Map.groupBy(nodes, ({ metadata }) => selecting(configs, metadata.labels));
    groups.delete('');
    return [...groups].map(([selected, members]) => {
      const indexes = selected.split(',').map(Number);
      return { ...this.#set(indexes, configs, ids, configMaps), nodes: members };
    });
  }

  #set(indexes: readonly number[], all: readonly NodeConfig[], ids: readonly string[], configMaps: Lookup) {
    const configs = indexes.flatMap((index) => all[index] ?? []);
    const key = indexes
      .map((index) => ids[index] ?? '')
      .toSorted()
      .join('\n');
    const rendered = remembered(this.#sets, key, KEPT, () =>
      renderParts(indexes.flatMap((index) => this.#part(all[index], ids[index] ?? '', configMaps))),
    );
    return { configs, rendered };
  }

  #part(config: NodeConfig | undefined, id: string, configMaps: Lookup): Part[] {
    if (config === undefined) return [];
    return [remembered(this.#parts, id, KEPT, () => partOf(config, configMaps))];
  }
}

/** The configs that select a node, as their indexes. */
function selecting(configs: readonly NodeConfig[], labels: Record<string, string> | undefined): string {
  let found = '';
  for (const [index, { spec }] of configs.entries()) {
    if (matches(spec.nodeSelector, labels)) found += found === '' ? String(index) : `,${index}`;
  }
  return found;
}
