import { basename, dirname } from 'node:path';
import { errnoOf } from '#agent/errno.ts';
import { ConfigError } from '../config-error.ts';
import { Directory } from '../paths/directory.ts';
import type { HostTree } from '../paths/host-tree.ts';
import { readBytes } from '../paths/read-bytes.ts';

const MAX_BYTES = 512 * 1024;

/** What is in a file of the host, to be shown; undefined if there is none, or more than anybody reads. */
export async function readText(tree: HostTree, path: string): Promise<string | undefined> {
  try {
    await using directory = await Directory.open(tree, dirname(path));
    return (await readBytes(directory, basename(path), MAX_BYTES)).bytes.toString('utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || (error instanceof ConfigError && error.code === 'PathRefused'))
      return undefined;
    throw error;
  }
}
