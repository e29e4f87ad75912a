import type { Flags } from '#runtime/flags/flags.ts';
import { durationFlag, namesFlag } from '#runtime/flags/types.ts';

/** What this operator takes besides the common flags. */
export const nodeConfigFlags = {
  sourceNamespaces: {
    schema: namesFlag,
    value: 'NAMES',
    env: 'POD_NAMESPACE',
    help: 'Namespaces whose Secrets and ConfigMaps NodeConfigs may use, with commas between.',
  },
  renderedRetention: {
    schema: durationFlag,
    value: 'TIME',
    default: '24h',
    help: 'How long a RenderedConfig that no node has any more is kept, to go back to.',
  },
} satisfies Flags;

export type NodeConfigFlags = typeof nodeConfigFlags;
