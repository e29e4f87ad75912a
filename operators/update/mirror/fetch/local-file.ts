import { constants } from 'node:fs';
import { copyFile, mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Takes a copy of a file that somebody put there by hand, if it has `size` bytes (any size unless told). A copy, so
 * that nobody can change it after it was verified. Gives whether it was there.
 */
export async function takeLocal(source: string, path: string, size?: number): Promise<boolean> {
  const found = await stat(source).catch(() => undefined);
  if (found === undefined || !found.isFile() || (size !== undefined && found.size !== size)) return false;
  await mkdir(dirname(path), { recursive: true });
  await copyFile(source, `${path}.copy`, constants.COPYFILE_FICLONE);
  await rename(`${path}.copy`, path);
  return true;
}
