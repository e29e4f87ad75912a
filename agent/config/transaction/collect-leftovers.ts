import { readdir } from 'node:fs/promises';
import { dirname, posix } from 'node:path';
import { errnoOf } from '#agent/errno.ts';
import type { Log } from '#runtime/log/log.ts';
import { ConfigError } from '../config-error.ts';
import { Directory } from '../paths/directory.ts';
import type { HostTree } from '../paths/host-tree.ts';
import { pointAt } from '../paths/read-bytes.ts';
import { remove } from './place.ts';
import { parseTempName } from './temp-names.ts';

/**
 * Removes what an agent left that lost its journal, in directories of managed paths: files of our own names that
 * nobody ever used. What was there before a change is named but kept. Only while no transaction is under way.
 */
export async function collectLeftovers(
  tree: HostTree,
  owned: readonly { path: string }[],
  log: Pick<Log, 'warn'>,
): Promise<void> {
  for (const path of new Set(owned.map(({ path }) => dirname(path)))) {
    try {
      await using directory = await Directory.open(tree, path);
      await collectIn(directory, log);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' && !(error instanceof ConfigError)) throw error;
    }
  }
}

async function collectIn(directory: Directory, log: Pick<Log, 'warn'>): Promise<void> {
  for (const name of await readdir(directory.at('.'))) {
    const { kind } = parseTempName(name) ?? {};
    if (kind === undefined || !(await isPlain(directory, name))) continue;
    if (kind === 'new') await remove(directory, name);
    else
      log.warn('an old version of a file was left behind by a change whose journal is lost', {
        path: posix.join(directory.path, name),
      });
  }
}

/** Whether it is of a kind that the agent makes under such a name. */
async function isPlain(directory: Directory, name: string): Promise<boolean> {
  await using pointed = await pointAt(directory, name);
  const stat = await pointed.stat();
  return stat.isFile() || stat.isSymbolicLink();
}
