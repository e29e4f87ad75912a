import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { readlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, basename } from 'node:path';
import { errnoOf } from '#agent/errno.ts';
import { configErrorOf } from '../config-error.ts';
import { Directory } from '../paths/directory.ts';
import type { HostTree } from '../paths/host-tree.ts';
import { openPointed, pointAt } from '../paths/read-bytes.ts';
import { ABSENT } from './state.ts';
import type { State } from './state.ts';

const CHUNK = 256 * 1024;

/** The hash of a file that has not changed since, by its stat: spares the reading. */
export interface HashCache {
  get(stat: BigIntStats): string | undefined;
  set(stat: BigIntStats, sha256: string): void;
}

/** What stands at a path of the host; `SymlinkInPath` if a directory on the way is a link. */
export async function scan(tree: HostTree, path: string, cache?: HashCache): Promise<State> {
  try {
    await using directory = await Directory.open(tree, dirname(path));
    return await scanIn(directory, basename(path), cache);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ABSENT;
    throw configErrorOf(error, 'reading', path);
  }
}

/** What `name` is in a directory. Fifos and devices are seen but never opened. */
export async function scanIn(directory: Directory, name: string, cache?: HashCache): Promise<State> {
  let pointed: FileHandle;
  try {
    pointed = await pointAt(directory, name);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ABSENT;
    throw error;
  }
  try {
    return await stateOf(pointed, directory.at(name), cache);
  } catch (error) {
    // A link that has become something else meanwhile.
    if (errnoOf(error) === 'EINVAL') return { type: 'other', what: 'changing' };
    throw error;
  } finally {
    await pointed.close();
  }
}

async function stateOf(pointed: FileHandle, at: string, cache: HashCache | undefined): Promise<State> {
  const stat = await pointed.stat({ bigint: true });
  const [uid, gid, mode] = [Number(stat.uid), Number(stat.gid), Number(stat.mode & 0o7777n)];
  if (stat.isSymbolicLink()) return { type: 'link', target: await readlink(at), uid, gid };
  if (stat.isDirectory()) return { type: 'directory', mode, uid, gid };
  if (!stat.isFile()) return { type: 'other', what: kindOf(stat) };
  const sha256 = cache?.get(stat) ?? (await hashPointed(pointed));
  cache?.set(stat, sha256);
  return { type: 'file', sha256, size: Number(stat.size), mode, uid, gid };
}

function kindOf(stat: BigIntStats): string {
  if (stat.isFIFO()) return 'fifo';
  if (stat.isSocket()) return 'socket';
  return stat.isBlockDevice() ? 'block device' : 'character device';
}

async function hashPointed(pointed: FileHandle): Promise<string> {
  await using file = await openPointed(pointed);
  const hash = createHash('sha256');
  const bytes = Buffer.alloc(CHUNK);
  for (;;) {
    const { bytesRead } = await file.read(bytes, 0, CHUNK, null);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(bytes.subarray(0, bytesRead));
  }
}
