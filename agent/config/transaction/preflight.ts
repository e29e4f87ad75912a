import { stat, statfs } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { errnoOf } from '#agent/errno.ts';
import { ConfigError, configErrorOf } from '../config-error.ts';
import { checkNotGenerated, checkWritable } from '../paths/check-writable.ts';
import { Directory } from '../paths/directory.ts';
import type { HostTree } from '../paths/host-tree.ts';
import { checkNotMounted } from '../paths/mount-of.ts';
import type { Change } from '../plan/change.ts';
import { addNeed, shortOf } from './room.ts';
import type { Need } from './room.ts';

/**
 * Whether all changes can be made: where they go is writable for good, nothing is mounted on them, and there is room
 * for the new beside the old. `state` is where the agent keeps its own. Throws before anything is touched.
 */
export async function preflight(tree: HostTree, state: string, changes: readonly Change[]): Promise<void> {
  const needs = new Map<string, Need>();
  const all = changes.reduce((sum, change) => sum + sizeOf(change), 0);
  const own = String((await stat(state)).dev);
  addNeed(needs, own, { path: state, at: state, bytes: 2 * all, files: changes.length });
  for (const change of changes) {
    try {
      await checkPlace(tree, change, needs);
    } catch (error) {
      throw configErrorOf(error, 'looking at', change.path);
    }
  }
  for (const need of needs.values()) {
    const short = shortOf(need, await statfs(need.at));
    if (short !== undefined) throw new ConfigError('NoSpace', `${need.path} ${short}`, { path: need.path });
  }
}

async function checkPlace(tree: HostTree, change: Change, needs: Map<string, Need>): Promise<void> {
  await using directory = await nearest(tree, dirname(change.path));
  await checkWritable(tree, directory);
  if (directory.path === dirname(change.path) && change.after.type !== 'directory') {
    await checkNotMounted(directory, basename(change.path));
    await checkNotGenerated(directory, basename(change.path));
  }
  const dev = String((await directory.handle.stat()).dev);
  const { path } = directory;
  addNeed(needs, dev, { path, at: tree.root + path, bytes: sizeOf(change), files: 1 });
}

/** The directory, or the nearest on the way to it that is there. */
async function nearest(tree: HostTree, path: string): Promise<Directory> {
  try {
    return await Directory.open(tree, path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || path === '/') throw error;
    return nearest(tree, dirname(path));
  }
}

function sizeOf({ after }: Change): number {
  return after.type === 'file' ? after.size : 0;
}
