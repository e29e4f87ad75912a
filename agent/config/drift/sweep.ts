import { ConfigError } from '../config-error.ts';
import type { HostTree } from '../paths/host-tree.ts';
import type { Owned } from '../plan/owned.ts';
import { scan } from '../plan/scan.ts';
import type { HashCache } from '../plan/scan.ts';
import type { State } from '../plan/state.ts';
import type { Difference } from './difference.ts';
import { differenceOf } from './state-difference.ts';

/** Looks at paths that Careen owns, one after the other: it is never in a hurry. */
export async function sweep(
  tree: HostTree,
  owned: readonly Owned[],
  cache?: HashCache,
): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const { path, applied, drift } of owned) {
    if (drift === 'Ignore') continue;
    const kind = differenceOf(applied, await stateNow(tree, path, cache));
    if (kind !== undefined) found.push({ path, kind, policy: drift });
  }
  return found;
}

/** A link that has come into the place of a directory on the way is something else than what was there. */
async function stateNow(tree: HostTree, path: string, cache: HashCache | undefined): Promise<State> {
  try {
    return await scan(tree, path, cache);
  } catch (error) {
    if (error instanceof ConfigError && (error.code === 'SymlinkInPath' || error.code === 'PathRefused'))
      return { type: 'other', what: 'elsewhere' };
    throw error;
  }
}
