import { isDeepStrictEqual } from 'node:util';
import type { ConfigWanted } from '#api/node-config-state.ts';
import type { ConfigReason, Verdict } from '#api/reasons.ts';
import type { Assignment } from '../rollout/chain.ts';
import type { NodeFacts } from '../rollout/facts.ts';

export interface Context {
  /** The verdict has lasted long enough to be written. */
  settled: boolean;
  /** RFC 3339. */
  now: string;
}

type Hold = NonNullable<ConfigWanted['hold']>;

/**
 * `NodeState.spec.config` as it should be, given as it is. Returns `node.wanted` itself when there is nothing to
 * write. A hold that is not settled yet rides along only with a write that is made anyhow.
 */
export function wantedConfig(node: NodeFacts, assignment: Assignment, context: Context): ConfigWanted {
  const { wanted } = node;
  const bare = withoutHold(wanted);
  const next = asked(node, assignment);
  const hold = holdOf(wanted, assignment.verdict, context.now);
  const isSame = isDeepStrictEqual(plain(bare), plain(next));
  if (isSame && wanted.hold?.reason === hold?.reason && !isNewSentence(wanted.hold, hold, context)) {
    return wanted;
  }
  if (isSame && hold !== undefined && !context.settled) return wanted;
  return { ...next, ...(hold === undefined ? {} : { hold }) };
}

function asked(node: NodeFacts, { action }: Assignment): ConfigWanted {
  const { wanted, target } = node;
  const bare = withoutHold(wanted);
  if (action === 'keep') return bare;
  if (target.kind !== 'config') {
    const isClear = wanted.hash === undefined && wanted.rendered === undefined;
    return isClear ? bare : { generation: nextGeneration(node) };
  }
  const { rendered, hash } = target;
  const isNew = wanted.hash !== hash;
  // What is in force needs no word of ours; a write more would change nothing.
  const apply = !isNew && action === 'apply' && node.status?.applied === hash ? wanted.apply : undefined;
  const generation = isNew ? nextGeneration(node) : wanted.generation;
  return {
    rendered,
    hash,
    ...(generation === undefined ? {} : { generation }),
    apply: apply ?? action === 'apply',
  };
}

/** Beyond whatever the node has seen, also when the API server was restored from a backup. */
export function nextGeneration({ wanted, status }: Pick<NodeFacts, 'wanted' | 'status'>): number {
  return Math.max(wanted.generation ?? 0, status?.generation ?? 0) + 1;
}

function holdOf(wanted: ConfigWanted, { reason, message }: Verdict<ConfigReason>, now: string) {
  if (reason === 'UpToDate' || reason === 'Offered') return undefined;
  // A node that never had anything is not told that it has nothing.
  if (reason === 'NoConfig' && wanted.generation === undefined) return undefined;
  const since = wanted.hold?.reason === reason ? wanted.hold.since : now;
  return { reason, message: message.slice(0, 1024), since };
}

function isNewSentence(before: Hold | undefined, next: Hold | undefined, { settled }: Context): boolean {
  return settled && before?.message !== next?.message;
}

function withoutHold(wanted: ConfigWanted): ConfigWanted {
  const { hold: _, ...rest } = wanted;
  return rest;
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
