import { z } from 'zod';
import type { NodeState, RebootWindow } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { ConfigPlan } from '#api/node-config-state.ts';
import { matches } from '#api/selector.ts';
import { switchFlag } from '#runtime/flags/types.ts';
import { command } from '../command.ts';
import { nodes, nodeStates, windows } from './read.ts';

/** What each node said that its configuration would change, what follows, and why it waits. */
export const planCommand = command({
  words: '[NODE...]',
  count: { min: 0, max: Number.POSITIVE_INFINITY },
  help: 'Show what each node would change, what follows, and when.',
  flags: {
    diff: { schema: switchFlag, default: 'false', help: 'Show the differences of files as well.' },
    output: { schema: z.enum(['text', 'json']), value: 'FORMAT', default: 'text', help: 'text or json.' },
  },
  act: async ({ words, flags, cluster: { client }, print }) => {
    const [states, all, closed] = await Promise.all([
      nodeStates(client, words),
      nodes(client, words),
      windows(client),
    ]);
    const configured = states.filter(({ spec, status }) => spec.config ?? status?.config);
    if (flags.output === 'json') return print(JSON.stringify(configured.map(planOf), undefined, 2));
    if (configured.length === 0) return print('no node has a configuration of careen');
    const labels = new Map(all.map((node: Node) => [node.metadata.name, node.metadata.labels]));
    for (const state of configured) {
      const covering = closed.filter(({ spec }) =>
        matches(spec.nodeSelector, labels.get(state.metadata.name)),
      );
      print(describePlan(state, covering, flags.diff));
    }
  },
});

function planOf({ metadata, spec, status }: NodeState) {
  return { node: metadata.name, wanted: spec.config ?? {}, found: status?.config ?? {} };
}

/**
 * A node's plan in lines. `covering` are the windows in which it may reboot.
 *
 * @example
 * worker-1   Planned   WaitingForWave: wave canary is not done
 *   ~ file /etc/motd   (base)
 *   then Reload sshd.service; the node keeps serving
 */
export function describePlan(state: NodeState, covering: readonly RebootWindow[], diffs = false): string {
  const { metadata, spec, status } = state;
  const { phase = 'no agent has reported', plan, error } = status?.config ?? {};
  const hold = spec.config?.hold;
  const told = [phase, ...(error === undefined ? [] : [`${error.code}: ${error.message}`])];
  const why = hold === undefined ? [] : [`${hold.reason}: ${hold.message}`];
  const head = [metadata.name, ...told, ...why].join('   ');
  const isOfWanted = status?.config?.hash === spec.config?.hash;
  if (plan === undefined || !isOfWanted) return head;
  return [head, ...changes(plan, diffs), `  ${consequence(plan, covering)}`].join('\n');
}

const SIGN = { Create: '+', Update: '~', Remove: '-' } as const;
const NOUN = {
  File: 'file',
  Directory: 'directory',
  Link: 'link',
  Unit: 'unit',
  AuthorizedKeys: 'authorized keys of',
  KernelArguments: 'kernel arguments',
} as const;

function changes({ changes: listed, more }: ConfigPlan, diffs: boolean): string[] {
  if (listed.length === 0) return ['  nothing to change'];
  const lines = listed.flatMap(({ kind, name, change, from, diff }) => [
    `  ${SIGN[change]} ${NOUN[kind]} ${name}${from === undefined ? '' : `   (${from})`}`,
    ...(diffs && diff !== undefined
      ? diff
          .trimEnd()
          .split('\n')
          .map((line) => `      ${line}`)
      : []),
  ]);
  return more === 0 ? lines : [...lines, `  and ${more} more`];
}

function consequence({ actions, drains, reboots }: ConfigPlan, covering: readonly RebootWindow[]): string {
  const then = actions
    .filter(({ action }) => action !== 'None')
    .map(({ action, unit }) => (unit === undefined ? action : `${action} ${unit}`));
  const follows = then.length === 0 ? 'nothing follows' : `then ${then.join(', ')}`;
  if (!drains && !reboots) return `${follows}; the node keeps serving`;
  const how = reboots ? 'the node is drained and rebooted' : 'the node is drained';
  return `${follows}; ${how}${when(covering)}`;
}

/** All windows that cover a node must be open. */
function when(covering: readonly RebootWindow[]): string {
  const shut = covering.filter(({ status }) => status?.open !== true);
  if (shut.length === 0) return ', as soon as the locks have room';
  const opens = shut.map(({ metadata, status }) => `${metadata.name} opens ${status?.nextOpen ?? 'never'}`);
  return `, not before its windows: ${opens.join(', ')}`;
}
