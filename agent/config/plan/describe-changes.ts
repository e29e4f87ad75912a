import { createHash } from 'node:crypto';
import type { ConfigPlan } from '#api/node-config-state.ts';
import { configErrorOf } from '../config-error.ts';
import type { HostTree } from '../paths/host-tree.ts';
import { kindOf, verbOf } from './change.ts';
import type { Change } from './change.ts';
import { diffOf } from './diff.ts';
import type { FilePlan } from './plan-files.ts';
import { readText } from './read-text.ts';
import { mark } from './state.ts';

type Described = ConfigPlan['changes'][number];

/** The changes of a plan as the status tells them. Content that is secret, now or before, is in none. */
export async function describeChanges(tree: HostTree, plan: FilePlan): Promise<Described[]> {
  const described: Described[] = [];
  for (const change of plan.changes) {
    const { path, from } = change;
    const diff = await diffOfChange(tree, change, plan.contents.get(path));
    described.push({
      kind: kindOf(change),
      name: change.keysOf ?? path,
      change: verbOf(change),
      from: from.join(', ').slice(0, 253),
      diff,
    });
  }
  return described;
}

async function diffOfChange(
  tree: HostTree,
  { path, before, after, sensitive }: Change,
  content: Buffer | undefined,
): Promise<string> {
  if (sensitive) return diffOf(path, { mark: mark(before) }, { mark: mark(after) });
  try {
    const old = before.type === 'file' ? await readText(tree, path) : undefined;
    return diffOf(
      path,
      { mark: mark(before), text: old ?? linkText(before) },
      { mark: mark(after), text: content?.toString('utf8') ?? linkText(after) },
    );
  } catch (error) {
    throw configErrorOf(error, 'reading', path);
  }
}

function linkText(state: Change['before']): string | undefined {
  return state.type === 'link' ? `-> ${state.target}\n` : undefined;
}

/**
 * Stands for what a plan changes: the same on nodes that plan the same. Secrets are in it only as "changes", since
 * who sees a hash of a short secret can guess it.
 */
export function hashOfChanges(changes: readonly Change[]): string {
  const said = changes.map((change) => {
    const { path, before, after, sensitive } = change;
    const states = sensitive ? [mark(before), mark(after)] : [before, after];
    return [kindOf(change), path, verbOf(change), sensitive, states];
  });
  return createHash('sha256').update(JSON.stringify(said)).digest('hex');
}
