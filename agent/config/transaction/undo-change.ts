import { lstat, rename } from 'node:fs/promises';
import { basename } from 'node:path';
import { errnoOf } from '#agent/errno.ts';
import type { Directory } from '../paths/directory.ts';
import type { Change } from '../plan/change.ts';
import { scanIn } from '../plan/scan.ts';
import { sameContent } from '../plan/state.ts';
import type { State } from '../plan/state.ts';
import { own, remove } from './place.ts';
import { removeIfEmpty } from './switch-change.ts';
import type { TempNames } from './temp-names.ts';

/**
 * Puts back what was there before a change, wherever the change stopped. Needs no room on the disk: what was there
 * has kept its second name. May be repeated.
 */
export async function undoChange(directory: Directory, change: Change, names: TempNames): Promise<void> {
  const name = basename(change.path);
  await remove(directory, names.fresh);
  if (change.before.type === 'directory') return restoreDirectory(directory, name, change, change.before);
  if (await putBack(directory, name, names.old)) return;
  if (change.before.type === 'absent') await removeOurs(directory, name, change.after);
}

/** False if it has no second name: it was put back already, or never replaced. */
async function putBack(directory: Directory, name: string, old: string): Promise<boolean> {
  const kept = await inodeOf(directory, old);
  if (kept === undefined) return false;
  // rename(2) of one name of an inode to another of the same does nothing.
  if (kept === (await inodeOf(directory, name))) await remove(directory, old);
  else await rename(directory.at(old), directory.at(name));
  return true;
}

async function inodeOf(directory: Directory, name: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await lstat(directory.at(name), { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** What somebody else has put there since is theirs. */
async function removeOurs(directory: Directory, name: string, after: State): Promise<void> {
  const found = await scanIn(directory, name);
  if (found.type === 'absent' || !sameContent(found, after)) return;
  if (found.type === 'directory') await removeIfEmpty(directory, name);
  else await remove(directory, name);
}

async function restoreDirectory(
  directory: Directory,
  name: string,
  { after }: Change,
  before: Extract<State, { type: 'directory' }>,
): Promise<void> {
  if (after.type !== 'directory') {
    if (after.type !== 'absent') await removeOurs(directory, name, after);
    if ((await scanIn(directory, name)).type === 'absent') await directory.make(name);
  }
  await using restored = await directory.enter(name);
  await own(restored.handle, before);
}
