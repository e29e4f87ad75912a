import { dirname } from 'node:path';
import type { ConfigDocument } from '#api/config-document.ts';
import { ConfigError } from '../config-error.ts';
import type { HostTree } from '../paths/host-tree.ts';
import { readLocalPolicy } from '../paths/local-policy.ts';
import type { LocalPolicy } from '../paths/local-policy.ts';
import { readOwners } from '../paths/owners.ts';
import { checkLocally, checkPath } from '../paths/path-policy.ts';
import type { Owned } from './owned.ts';
import { planFiles } from './plan-files.ts';
import type { FilePlan } from './plan-files.ts';
import { planKeys } from './plan-keys.ts';
import { scan } from './scan.ts';
import { ABSENT } from './state.ts';
import type { State } from './state.ts';
import { wantedOf } from './wanted.ts';
import type { Wanted } from './wanted.ts';

export interface PlanBasis {
  owned: readonly Owned[];
  /** The document in force. */
  previous: ConfigDocument | undefined;
  /** Nothing but these paths is looked at; the others are taken to be as they were applied. */
  only?: ReadonlySet<string> | undefined;
}

/**
 * What a document would change on a host where Careen owns `owned` and `previous` is in force. Reads, and writes
 * nothing.
 */
export async function planDocument(
  tree: HostTree,
  document: ConfigDocument,
  { owned, previous, only }: PlanBasis,
): Promise<FilePlan> {
  const local = await readLocalPolicy(tree);
  const wanted = wantedOf(document, await readOwners(tree));
  for (const item of wanted) checkWanted(item, local);
  const paths = new Set(wanted.map(({ path }) => path));
  for (const { path } of owned) if (!paths.has(path)) checkLocally(path, local);
  const looked = [...wanted, ...owned].filter(({ path }) => only?.has(path) ?? true);
  const disk = await scanAll(tree, looked);
  if (only !== undefined) pretend(disk, wanted, owned);
  const plan = planFiles({ wanted, owned, disk: (path) => disk.get(path) ?? ABSENT });
  const keys = await planKeys(tree, document, previous, local, only);
  for (const { path } of keys.changes) if (paths.has(path)) throw wantedTwice(path);
  const contents = new Map([...plan.contents, ...keys.contents]);
  return { ...plan, changes: [...plan.changes, ...keys.changes], contents };
}

function wantedTwice(path: string): ConfigError {
  const message = `${path} is wanted as a file and for the keys of a user: leave one out`;
  return new ConfigError('BundleInvalid', message, { path });
}

function pretend(disk: Map<string, State>, wanted: readonly Wanted[], owned: readonly Owned[]): void {
  const applied = [...wanted, ...owned.map(({ path, applied: state }) => ({ path, state }))];
  for (const { path, state } of applied) if (!disk.has(path)) disk.set(path, state);
}

function checkWanted({ path, state, critical }: Wanted, local: LocalPolicy): void {
  const owner = state.type === 'directory' ? { mode: state.mode, uid: state.uid } : {};
  checkPath({ path, type: state.type, ...owner }, { allowCritical: critical, local });
}

/** What stands at the paths, and at the directories on the way to them. */
async function scanAll(tree: HostTree, items: readonly { path: string }[]): Promise<Map<string, State>> {
  const found = new Map<string, State>();
  for (const { path } of items) {
    for (let at = path; at !== '/' && !found.has(at); at = dirname(at)) {
      found.set(at, await scan(tree, at));
    }
  }
  return found;
}
