import { stringify } from 'yaml';
import { z } from 'zod';
import { command } from '../command.ts';
import { STATUS } from '../run.ts';
import { nodeConfigsIn, readInput, withApplied } from './from-files.ts';
import { configMapsOf } from './key-source.ts';
import { documentOf } from './node-document.ts';
import { nodeConfigs, nodes } from './read.ts';

/** What a node should have, in whole: the document that its agent is given, secrets as references. */
export const renderCommand = command({
  words: 'NODE',
  count: { min: 1, max: 1 },
  help: 'Show all that a node is configured with, as its agent is given it.',
  flags: {
    filename: {
      schema: z.string().optional(),
      value: 'PATH',
      help: 'NodeConfigs that are taken as applied; - is standard input.',
    },
  },
  act: async ({ words: [name = ''], flags: { filename }, cluster: { client }, print, warn }) => {
    const [[node], now] = await Promise.all([nodes(client, [name]), nodeConfigs(client)]);
    const applied = filename === undefined ? [] : nodeConfigsIn(await readInput(filename), filename);
    const all = withApplied(now, applied);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    const given = documentOf(node, all, await configMapsOf(client, all));
    if (!given.ok) {
      warn(`${given.reason}: ${given.message}`);
      return STATUS.differs;
    }
    print(`# NodeConfigs: ${given.configs.join(', ') || 'none'}`);
    print(stringify(given.document, { lineWidth: 110 }).trimEnd());
    return STATUS.done;
  },
});
