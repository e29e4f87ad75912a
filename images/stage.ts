import { chmod, cp, lstat, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** What is put at a path of an image. */
export type Staged = { file: string } | { text: string };

/** Puts a regular file at `target` (absolute) of the tree in `root`; a link is followed. */
export async function stage(root: string, target: string, from: Staged): Promise<void> {
  const place = path.join(root, target);
  await mkdir(path.dirname(place), { recursive: true });
  if ('text' in from) await writeFile(place, from.text);
  else await cp(from.file, place, { dereference: true });
}

/** What may be run; all else is 0644. */
export type Executable = (file: string) => boolean;

/**
 * Gives a staged tree the modes that it has in the image, whatever the umask was, whoever's file was copied:
 * directories and programs 0755, files 0644.
 */
export async function setModes(directory: string, executable: Executable): Promise<void> {
  await chmod(directory, 0o755);
  for (const name of await readdir(directory)) {
    const file = path.join(directory, name);
    const entry = await lstat(file);
    if (entry.isDirectory()) await setModes(file, executable);
    else if (entry.isFile()) await chmod(file, executable(file) ? 0o755 : 0o644);
  }
}
