import { constants } from 'node:fs';
import { lchown, open, symlink, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { errnoOf } from '#agent/errno.ts';
import type { Directory } from '../paths/directory.ts';
import type { State } from '../plan/state.ts';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

/**
 * Makes a file or a link under a name that nobody uses yet, to be renamed. Nobody but root can read a file before it
 * has its owner and mode; it is on the medium when this returns.
 */
export async function place(
  directory: Directory,
  name: string,
  state: Extract<State, { type: 'file' | 'link' }>,
  content: Buffer,
): Promise<void> {
  if (state.type === 'link') {
    await symlink(state.target, directory.at(name));
    return lchown(directory.at(name), state.uid, state.gid);
  }
  const file = await open(directory.at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await file.writeFile(content);
    await own(file, state);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The mode comes last: a new owner takes the setuid bit away. */
export async function own(
  handle: FileHandle,
  { uid, gid, mode }: { uid: number; gid: number; mode: number },
): Promise<void> {
  await handle.chown(uid, gid);
  await handle.chmod(mode);
}

/** True if there was something to remove. */
export async function remove(directory: Directory, name: string): Promise<boolean> {
  try {
    await unlink(directory.at(name));
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
