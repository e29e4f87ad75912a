import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '#test/cluster/binaries/cache.ts';
import { guardedDirectory, type GuardedDirectory } from '#test/cluster/guardian.ts';

/** What a file of the cache is called. */
export interface CachedFile {
  prefix: string;
  suffix: string;
  /** All that decides what is in it. */
  recipe: readonly string[];
  env?: NodeJS.ProcessEnv | undefined;
}

/**
 * The path of a file that is quickly made, and made again only when its recipe changes. `make` writes it to a
 * name of its own, with a directory to work in; who comes at the same time makes it too, and the last one stays.
 */
export async function onceInCache(
  { prefix, suffix, recipe, env }: CachedFile,
  make: (target: string, work: GuardedDirectory) => Promise<void>,
): Promise<string> {
  const key = createHash('sha256')
    .update([process.arch, ...recipe].join('\0'))
    .digest('hex')
    .slice(0, 16);
  const file = path.join(cacheDirectory(env), `${prefix}${key}${suffix}`);
  if (existsSync(file)) return file;
  await mkdir(path.dirname(file), { recursive: true });
  const temporary = `${file}.${randomUUID()}`;
  const work = await guardedDirectory('careen-node-part-');
  try {
    await make(temporary, work);
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
    await work.remove();
  }
  return file;
}
