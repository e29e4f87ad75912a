import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { cacheDirectory } from '#test/cluster/binaries/cache.ts';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { until } from '#test/cluster/until.ts';
import { osTree, stateTree, type OsTreeOptions } from './os-tree.ts';

test('callers at the same time get one tree, made once', async (t) => {
  const { options, made } = await world(t);
  const trees = await Promise.all([osTree('bookworm', options), osTree('bookworm', options)]);
  assert.deepEqual(trees[0], trees[1]);
  assert.equal(await readFile(path.join(trees[0].usr, 'suite'), 'utf8'), 'bookworm');
  await osTree('bookworm', options);
  assert.deepEqual(made, ['bookworm']);
});

test('each release has a tree of its own', async (t) => {
  const { options, made } = await world(t);
  assert.notEqual(await stateTree('bookworm', options), await stateTree('trixie', options));
  assert.deepEqual(made, ['bookworm', 'trixie']);
});

test('a tree that could not be made leaves nothing, and the next caller tries again', async (t) => {
  const { options, cache } = await world(t);
  await assert.rejects(osTree('bookworm', { ...options, make: makeHalf }), /no space left/);
  assert.deepEqual(await readdir(cache), []);
  assert.ok(existsSync((await osTree('bookworm', options)).usr));
});

test('after a process that was killed while it made the tree, the next one makes it and clears up', async (t) => {
  const { options, cache, env } = await world(t);
  const program = `
    import { osTree } from ${JSON.stringify(new URL('os-tree.ts', import.meta.url).href)};
    await osTree('bookworm', { make: () => new Promise(() => setInterval(() => {}, 1000)) });`;
  const killed = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    env,
    stdio: 'ignore',
  });
  const others = (): Promise<string[]> => readdir(cache).catch(() => []);
  await until('it has begun', async () => (await others()).length === 2, { timeoutMs: 120_000 });
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  const { state } = await osTree('bookworm', options);
  assert.deepEqual(await readdir(cache), [path.basename(state)]);
});

async function makeHalf(_suite: string, into: string): Promise<void> {
  await writeFile(path.join(into, 'half'), '');
  throw new Error('no space left on device');
}

interface World {
  options: OsTreeOptions;
  env: NodeJS.ProcessEnv;
  cache: string;
  /** Releases whose tree was made. */
  made: string[];
}

/** A cache of its own, and trees that are quickly made. */
async function world(t: TestContext): Promise<World> {
  const { path: directory, remove } = await guardedDirectory('careen-os-tree-');
  t.after(remove);
  const made: string[] = [];
  const make = async (suite: string, into: string): Promise<void> => {
    made.push(suite);
    await mkdir(path.join(into, 'usr'));
    await writeFile(path.join(into, 'usr/suite'), suite);
  };
  const env = { PATH: process.env['PATH'], XDG_CACHE_HOME: directory };
  return { options: { env, make, progress: () => {} }, env, cache: cacheDirectory(env), made };
}
