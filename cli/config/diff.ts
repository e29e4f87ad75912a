import { z } from 'zod';
import type { Node } from '#api/meta.ts';
import { command } from '../command.ts';
import { STATUS } from '../run.ts';
import { compareDocuments } from './compare.ts';
import { nodeConfigsIn, readInput, withApplied } from './from-files.ts';
import { configMapsOf } from './key-source.ts';
import { documentOf, type NodeDocument } from './node-document.ts';
import { nodeConfigs, nodes } from './read.ts';

/** What nodes would be given otherwise if NodeConfigs were applied. Ends with 1 where something differs, as diff(1). */
export const diffCommand = command({
  words: '[NODE...]',
  count: { min: 0, max: Number.POSITIVE_INFINITY },
  help: 'Show what applying NodeConfigs would change, before it is done.',
  flags: {
    filename: { schema: z.string(), value: 'PATH', help: 'NodeConfigs to apply; - is standard input.' },
  },
  act: async ({ words, flags: { filename }, cluster: { client }, print }) => {
    const applied = nodeConfigsIn(await readInput(filename), filename);
    if (applied.length === 0) throw new Error(`${filename} holds no NodeConfig`);
    const [all, now] = await Promise.all([nodes(client, words), nodeConfigs(client)]);
    const then = withApplied(now, applied);
    const configMaps = await configMapsOf(client, [...now, ...then]);
    const told = Map.groupBy(all, (node) =>
      difference(documentOf(node, now, configMaps), documentOf(node, then, configMaps)),
    );
    for (const [text, concerned] of told) if (text !== '') print(`${heading(concerned)}\n${text}`);
    const unchanged = told.get('')?.length ?? 0;
    print(`${all.length - unchanged} of ${all.length} nodes would be given something else`);
    return unchanged === all.length ? STATUS.done : STATUS.differs;
  },
});

/** Nodes that would change alike are told once. */
function heading(concerned: readonly Node[]): string {
  const names = concerned.map(({ metadata }) => metadata.name);
  const shown = names.slice(0, 5).join(', ');
  return `on ${shown}${names.length > 5 ? ` and ${names.length - 5} more` : ''}:`;
}

/** Empty where both are the same. */
export function difference(before: NodeDocument, after: NodeDocument): string {
  if (!after.ok) {
    if (!before.ok && before.message === after.message) return '';
    return `  nothing would be applied: ${after.reason}: ${after.message}\n`;
  }
  const found = compareDocuments(before.ok ? before.document : undefined, after.document);
  return found.map(({ what, diff }) => `  ${what}\n${indented(diff)}`).join('\n');
}

function indented(diff: string): string {
  return diff
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}\n`)
    .join('');
}
