import { rename, rmdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { errnoOf } from '#agent/errno.ts';
import { ConfigError } from '../config-error.ts';
import type { Directory } from '../paths/directory.ts';
import type { Change } from '../plan/change.ts';
import { scanIn } from '../plan/scan.ts';
import { sameContent } from '../plan/state.ts';
import { own, remove } from './place.ts';
import type { TempNames } from './temp-names.ts';

/** Puts what was staged in its place. May be repeated after a crash: what is done already stays done. */
export async function switchChange(directory: Directory, change: Change, names: TempNames): Promise<void> {
  const { after, before, path } = change;
  const name = basename(path);
  switch (after.type) {
    case 'absent':
      // A directory goes last, when the change is kept: until then it holds what may have to be put back.
      if (before.type !== 'directory') await remove(directory, name);
      return;
    case 'directory': {
      await using made = await directory.enter(name);
      await own(made.handle, after);
      return;
    }
    case 'file':
    case 'link':
      if (before.type === 'directory') await clearWay(directory, name, path);
      return putInPlace(directory, name, change, names);
    case 'other':
      throw new ConfigError('Internal', `${path} cannot be made a ${after.what}`, { path });
  }
}

async function putInPlace(
  directory: Directory,
  name: string,
  { after, path }: Change,
  { fresh }: TempNames,
): Promise<void> {
  try {
    await rename(directory.at(fresh), directory.at(name));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    if (sameContent(await scanIn(directory, name), after)) return;
    throw new ConfigError('TargetBusy', `what was staged for ${path} is gone: it is planned again`, { path });
  }
}

/** A directory that came into the place of a file of ours goes only if nothing is lost with it. */
async function clearWay(directory: Directory, name: string, path: string): Promise<void> {
  const found = await scanIn(directory, name);
  if (found.type !== 'directory' || (await removeIfEmpty(directory, name))) return;
  throw new ConfigError('TargetBusy', `${path} is a directory with something in it: move it away`, { path });
}

/** False if something is in it, which is not ours to remove. */
export async function removeIfEmpty(directory: Directory, name: string): Promise<boolean> {
  try {
    await rmdir(directory.at(name));
  } catch (error) {
    if (errnoOf(error) === 'ENOTEMPTY' || errnoOf(error) === 'EEXIST') return false;
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  return true;
}
