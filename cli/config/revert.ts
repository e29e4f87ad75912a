import { createTwoFilesPatch } from 'diff';
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import { z } from 'zod';
import { resourcePath } from '#api/group.ts';
import type { NodeConfig } from '#api/kinds.ts';
import type { NodeConfigSpec } from '#api/node-config.ts';
import { countFlag, switchFlag } from '#runtime/flags/types.ts';
import { command } from '../command.ts';
import { revisionsOf, type Revision } from './history.ts';
import { named, renderedConfigs } from './read.ts';

/** Gives a NodeConfig the spec that it had; it rolls out as any change does. */
export const revertCommand = command({
  words: 'NODECONFIG',
  count: { min: 1, max: 1 },
  help: 'Give a NodeConfig a spec that it had before.',
  flags: {
    to: {
      schema: z.union([z.undefined(), countFlag]),
      value: 'GENERATION',
      help: 'Generation to go back to, as `config history` shows them; without it the last one that differs.',
    },
    dryRun: { schema: switchFlag, default: 'false', help: 'Show the difference and change nothing.' },
  },
  act: async ({ words: [name = ''], flags, cluster: { client }, print }) => {
    const path = resourcePath('NodeConfig', name);
    const [now, all] = await Promise.all([
      named<NodeConfig>(client, path, `NodeConfig ${name}`),
      renderedConfigs(client),
    ]);
    const { generation, spec } = chooseRevision(revisionsOf(name, all), now, flags.to);
    print(createTwoFilesPatch(name, `${name}@${generation}`, stringify(now.spec), stringify(spec)).trimEnd());
    if (flags.dryRun) return print(`nothing was changed: --dry-run`);
    // As it was read: somebody who changes it meanwhile is not overruled.
    await client.replace(path, { ...now, spec, status: undefined });
    print(`NodeConfig ${name} says again what it said at generation ${generation}`);
  },
});

/** The revision to go back to. @throws Error that says what there is instead */
export function chooseRevision(
  revisions: readonly Revision[],
  now: NodeConfig,
  to: number | undefined,
): { generation: number; spec: NodeConfigSpec } {
  const { name } = now.metadata;
  const kept = revisions.flatMap(({ generation, spec }) =>
    spec === undefined ? [] : [{ generation, spec: JSON.parse(spec) as NodeConfigSpec }],
  );
  const others = kept.filter(({ spec }) => !isDeepStrictEqual(spec, now.spec));
  const found = to === undefined ? others[0] : kept.find(({ generation }) => generation === to);
  if (found !== undefined) return found;
  const there = kept.map(({ generation }) => generation).join(', ') || 'none';
  throw new Error(
    to === undefined
      ? `no other spec of NodeConfig ${name} is kept`
      : `no spec of NodeConfig ${name} at generation ${to} is kept; there are: ${there}`,
  );
}
