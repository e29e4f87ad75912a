import { createHash, randomUUID } from 'node:crypto';
import { copyFile, link, mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { existsSync } from 'node:fs';

/**
 * Makes a directory below `parent` that holds `files` (source by path inside), linked where they can be. It is
 * named by what is in it, so that it is made once; callers may do it at the same time.
 */
export async function gather(
  parent: string,
  name: string,
  files: ReadonlyMap<string, string>,
): Promise<string> {
  const directory = path.join(parent, `${name}-${await keyOf(files)}`);
  if (existsSync(directory)) return directory;
  const temporary = `${directory}.${randomUUID()}`;
  for (const [to, from] of files) await place(from, path.join(temporary, to));
  try {
    await rename(temporary, directory);
  } catch (error) {
    await rm(temporary, { recursive: true });
    if (!existsSync(directory)) throw error; // else another caller was first
  }
  return directory;
}

async function keyOf(files: ReadonlyMap<string, string>): Promise<string> {
  const hash = createHash('sha256');
  for (const [to, from] of files) {
    const { size, mtimeMs } = await stat(from);
    hash.update([to, from, size, mtimeMs].join('\0')).update('\n');
  }
  return hash.digest('hex').slice(0, 16);
}

async function place(from: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  await link(from, to).catch(() => copyFile(from, to)); // on another file system
}
