import { readFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { errnoOf } from '#agent/errno.ts';
import { ConfigError } from '../config-error.ts';
import type { Directory } from './directory.ts';
import type { HostTree } from './host-tree.ts';
import { parseMountInfo } from './mount-info.ts';
import type { Mount } from './mount-info.ts';
import { pointAt } from './read-bytes.ts';

/** The kernel's number of the mount that an open file is seen through. */
export async function mountIdOf(handle: FileHandle): Promise<number> {
  const text = await readFile(`/proc/self/fdinfo/${handle.fd}`, 'latin1');
  return Number(/^mnt_id:\s*([0-9]+)$/m.exec(text)?.[1]);
}

/** The mount that a directory of the host lies in. */
export async function mountOf(tree: HostTree, directory: Directory): Promise<Mount | undefined> {
  const id = await mountIdOf(directory.handle);
  const mounts = parseMountInfo(await readFile(tree.mountinfo ?? '/proc/self/mountinfo', 'utf8'));
  return mounts.find((mount) => mount.id === id);
}

/** Refuses a name on which something is mounted: it cannot be replaced as a whole. Throws `BindMount`. */
export async function checkNotMounted(directory: Directory, name: string): Promise<void> {
  let id: number;
  try {
    await using pointed = await pointAt(directory, name);
    id = await mountIdOf(pointed);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  if (id === (await mountIdOf(directory.handle))) return;
  const path = `${directory.path}/${name}`;
  const message = `${path} is a mount point: unmount it, or write to what is mounted there`;
  throw new ConfigError('BindMount', message, { path });
}
