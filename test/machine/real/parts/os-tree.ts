import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cacheDirectory } from '#test/cluster/binaries/cache.ts';
import { withLock } from '#test/cluster/binaries/lock.ts';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { RealNodeError } from '../real-node-error.ts';
import { debianTool } from './debian-tool.ts';
import { demandSpace } from './demand-space.ts';
import { extractArguments, PACKAGES, type Suite } from './debian-tree.ts';

/** A Debian tree; never write to it, it is everybody's. */
export interface OsTree {
  /** What slots are made of. */
  usr: string;
  /** Directory with the etc/ and var/ that a new node starts with. */
  state: string;
}

export interface OsTreeOptions {
  /** Gets a line for each long step. Default: standard error. */
  progress?: ((line: string) => void) | undefined;
  /** Makes the tree in an empty directory; tests put another in its place. */
  make?: ((suite: Suite, into: string) => Promise<void>) | undefined;
  env?: NodeJS.ProcessEnv | undefined;
}

/**
 * The tree of a Debian release, from the cache, else by mmdebstrap (about 20 s) from Debian's archives. Callers at
 * the same time wait for the first.
 * @throws RealNodeError NotPossible without mmdebstrap or root, ToolFailed when Debian's archives cannot be reached
 */
export async function osTree(suite: Suite, options: OsTreeOptions = {}): Promise<OsTree> {
  const progress = options.progress ?? ((line) => process.stderr.write(`${line}\n`));
  const directory = path.join(cacheDirectory(options.env), `os-${suite}-${recipeKey()}`);
  if (!existsSync(directory)) {
    await mkdir(path.dirname(directory), { recursive: true });
    const waiting = (owner: string) => progress(`waiting for process ${owner}, which makes ${suite}'s tree`);
    await withLock(`${directory}.lock`, () => fill(directory, suite, { ...options, progress }), { waiting });
  }
  return { usr: path.join(directory, 'usr'), state: directory };
}

/** Directory with the etc/ and var/ that a new node starts with. */
export async function stateTree(suite: Suite, options: OsTreeOptions = {}): Promise<string> {
  return (await osTree(suite, options)).state;
}

/** Changes with all that decides what is in the tree. */
function recipeKey(): string {
  const recipe = [process.arch, ...PACKAGES, ...extractArguments('', '')];
  return createHash('sha256').update(recipe.join('\0')).digest('hex').slice(0, 16);
}

async function fill(directory: string, suite: Suite, options: OsTreeOptions): Promise<void> {
  if (existsSync(directory)) return; // made by another process while we waited
  await removeLeftovers(directory);
  const began = performance.now();
  options.progress?.(`making the tree of Debian ${suite} with mmdebstrap (about 20 s)`);
  const temporary = `${directory}.${randomUUID()}`;
  await mkdir(temporary);
  try {
    await (options.make ?? makeTree)(suite, temporary);
    await rename(temporary, directory);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  options.progress?.(
    `made the tree of Debian ${suite} in ${Math.round((performance.now() - began) / 1000)} s`,
  );
}

/** What somebody has left who was killed; nobody else makes this tree while we hold the lock. */
async function removeLeftovers(directory: string): Promise<void> {
  const parent = path.dirname(directory);
  const isLeftover = (name: string): boolean =>
    name.startsWith(`${path.basename(directory)}.`) && !name.endsWith('.lock');
  const leftovers = (await readdir(parent)).filter(isLeftover);
  await Promise.all(leftovers.map((name) => rm(path.join(parent, name), { recursive: true, force: true })));
}

async function makeTree(suite: Suite, into: string): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new RealNodeError('NotPossible', 'trees of real nodes hold files of many users: run this as root');
  }
  // For a moment there is the whole release twice, unpacked and as an archive; little of it is kept.
  await demandSpace(tmpdir(), { mib: 700, for: `making the tree of Debian ${suite}` });
  await demandSpace(into, { mib: 150, for: `keeping the tree of Debian ${suite}` });
  const work = await guardedDirectory('careen-os-');
  try {
    const archive = path.join(work.path, 'tree.tar');
    const args = ['--variant=minbase', `--include=${PACKAGES.join(',')}`, suite, archive];
    const env = { TMPDIR: work.path };
    await debianTool('mmdebstrap', args, { env, ownMounts: true, within: work.cleanup });
    await debianTool('tar', extractArguments(archive, into), { within: work.cleanup });
  } finally {
    await work.remove();
  }
}
