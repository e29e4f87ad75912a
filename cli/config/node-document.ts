import type { ConfigDocument } from '#api/config-document.ts';
import type { NodeConfig } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import { matches } from '#api/selector.ts';
import { fill } from '#operators/node-config/render/fill.ts';
import { renderSet } from '#operators/node-config/render/render-set.ts';
import type { Lookup } from '#operators/node-config/render/rendered.ts';

/** What a node would be given: a document, or why there is none. Secrets stay references. */
export type NodeDocument =
  | { ok: true; document: ConfigDocument; configs: string[] }
  | { ok: false; reason: string; message: string; configs: string[] };

export function documentOf(node: Node, all: readonly NodeConfig[], configMaps: Lookup): NodeDocument {
  const configs = all.filter(({ spec }) => matches(spec.nodeSelector, node.metadata.labels));
  const names = configs.map(({ metadata }) => metadata.name).toSorted();
  const rendered = renderSet(configs, configMaps);
  if (!rendered.ok) return { ok: false, reason: rendered.reason, message: rendered.message, configs: names };
  // Whoever asks need not be allowed to read secrets.
  const shown = { ...rendered, gaps: rendered.gaps.filter((gap) => 'template' in gap) };
  const filled = fill(shown, node, () => undefined);
  if (!filled.ok) return { ok: false, reason: filled.reason, message: filled.message, configs: names };
  return { ok: true, document: filled.document, configs: names };
}
