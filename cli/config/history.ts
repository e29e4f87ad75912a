import type { RenderedConfig } from '#api/kinds.ts';
import { command } from '../command.ts';
import { textTable } from '../text-table.ts';
import { renderedConfigs } from './read.ts';

/** Which configurations there were, and how many nodes have each. */
export const historyCommand = command({
  words: '[NODECONFIG]',
  count: { min: 0, max: 1 },
  help: 'Show what configurations there are and were, newest first.',
  flags: {},
  act: async ({ words: [name], cluster: { client }, print }) => {
    const all = (await renderedConfigs(client)).toSorted(newestFirst);
    if (name === undefined) return print(textTable(HEADINGS, all.map(row)));
    const revisions = revisionsOf(name, all);
    if (revisions.length === 0) throw new Error(`no RenderedConfig is made of a NodeConfig ${name}`);
    print(
      textTable(
        ['GENERATION', 'FIRST SEEN', 'NODES', 'RENDERED'],
        revisions.map(({ generation, since, nodes, rendered }) => [
          String(generation),
          since,
          String(nodes),
          rendered.join(', '),
        ]),
      ),
    );
  },
});

const HEADINGS = ['RENDERED', 'MADE', 'NODES', 'OF'];

function row({ metadata, spec, status }: RenderedConfig): string[] {
  const made = spec.sources.map(({ name, generation }) => `${name}@${generation}`).join(', ');
  return [metadata.name, metadata.creationTimestamp ?? '', String(status?.nodes ?? 0), made];
}

/** One state of a NodeConfig that some RenderedConfig was made of. */
export interface Revision {
  generation: number;
  hash: string;
  /** Its spec as canonical JSON, where it was kept. */
  spec: string | undefined;
  /** When the first RenderedConfig with it was made. */
  since: string;
  /** Nodes that have it. */
  nodes: number;
  rendered: string[];
}

/** The revisions of a NodeConfig, newest generation first; one that said the same again is one with the last. */
export function revisionsOf(name: string, all: readonly RenderedConfig[]): Revision[] {
  const found = new Map<string, Revision>();
  for (const { metadata, spec, status } of all.toSorted(newestFirst).toReversed()) {
    const source = spec.sources.find((one) => one.name === name);
    if (source === undefined) continue;
    const { generation, hash } = source;
    const known = found.get(hash);
    found.set(hash, {
      generation: Math.max(generation, known?.generation ?? 0),
      hash,
      spec: source.spec ?? known?.spec,
      since: known?.since ?? metadata.creationTimestamp ?? '',
      nodes: (known?.nodes ?? 0) + (status?.nodes ?? 0),
      rendered: [...(known?.rendered ?? []), metadata.name],
    });
  }
  return [...found.values()].toSorted((a, b) => b.generation - a.generation);
}

function newestFirst(a: RenderedConfig, b: RenderedConfig): number {
  return (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '');
}
