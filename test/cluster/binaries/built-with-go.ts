import { access, mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { ClusterError } from '../cluster-error.ts';
import { guarded } from '../guardian.ts';
import { cacheDirectory } from './cache.ts';
import { goBuild } from './go-build.ts';
import { buildKey, type BinaryName, type GoModule } from './go-module.ts';
import { withLock } from './lock.ts';

/**
 * The path of a program that one kind of test needs, built with Go once and kept in the cache.
 * @throws ClusterError BinaryMissing
 */
export async function builtWithGo(module: GoModule, name: string): Promise<string> {
  const directory = path.join(cacheDirectory(), await buildKey(module));
  const program = path.join(directory, name);
  if (await exists(program)) return program;
  await mkdir(directory, { recursive: true });
  await withLock(`${directory}.lock`, async () => {
    if (await exists(program)) return;
    await goBuild(module, name as BinaryName, `${program}.new`, (line) => process.stderr.write(`${line}\n`));
    await rename(`${program}.new`, program);
  });
  return program;
}

/** What `find` finds, or why tests cannot run: no Go, where nobody publishes the program. */
export async function unlessWithoutGo<T>(find: () => Promise<T>): Promise<T | { skip: string }> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof ClusterError) || (await hasGo())) throw error;
    return { skip: error.message };
  }
}

async function hasGo(): Promise<boolean> {
  return (await (await guarded('go', ['version'])).exited) === 0;
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
