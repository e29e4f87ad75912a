import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * All that stands below a directory: path to type, owner, mode and content. Read by the plain calls of the system,
 * not by what is tested.
 */
export async function snapshot(root: string, below = '/etc'): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of (await readdir(join(root, below))).toSorted()) {
    const path = join(below, name);
    const stat = await lstat(join(root, path));
    const mark = `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}`;
    if (stat.isSymbolicLink()) found[path] = `link ${await readlink(join(root, path))}`;
    else if (stat.isDirectory())
      Object.assign(found, { [path]: `directory ${mark}` }, await snapshot(root, path));
    else if (stat.isFile()) found[path] = `file ${mark} ${hash(await readFile(join(root, path)))}`;
    else found[path] = 'other';
  }
  return found;
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12);
}
