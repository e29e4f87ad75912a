import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { SearchOptions } from '#test/cluster/binaries/search.ts';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { findNodeBinaries } from './node-binaries.ts';

test('each directory of a node holds the programs that it is for, and no other', async (t) => {
  const { bin, cni, kubelet } = await findNodeBinaries(await world(t));
  assert.deepEqual((await readdir(bin)).toSorted(), ['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc']);
  assert.deepEqual((await readdir(cni)).toSorted(), ['bridge', 'host-local', 'loopback']);
  assert.deepEqual(await readdir(kubelet), ['kubelet']);
  assert.equal(await readFile(path.join(bin, 'runc'), 'utf8'), 'runc');
});

test('callers at the same time get the same directories', async (t) => {
  const options = await world(t);
  const [one, two] = await Promise.all([findNodeBinaries(options), findNodeBinaries(options)]);
  assert.deepEqual(one, two);
});

test('another program is another directory', async (t) => {
  const options = await world(t);
  const { bin } = await findNodeBinaries(options);
  const assets = path.join(options.env?.['XDG_CACHE_HOME'] ?? '', 'assets');
  await mkdir(assets);
  await writeFile(path.join(assets, 'runc'), 'patched', { mode: 0o755 });
  const other = await findNodeBinaries({ ...options, env: { ...options.env, KUBEBUILDER_ASSETS: assets } });
  assert.notEqual(other.bin, bin);
  assert.equal(await readFile(path.join(other.bin, 'runc'), 'utf8'), 'patched');
});

/** A cache of its own, and programs that hold their name. */
async function world(t: TestContext): Promise<SearchOptions> {
  const { path: directory, remove } = await guardedDirectory('careen-node-binaries-');
  t.after(remove);
  return {
    env: { XDG_CACHE_HOME: directory, PATH: '/nowhere' },
    progress: () => {},
    makers: {
      release: async () => undefined,
      download: async () => {},
      build: async (_module, name, target) => writeFile(target, name, { mode: 0o755 }),
    },
  };
}
