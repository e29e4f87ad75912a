import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { guardedDirectory } from '../guardian.ts';
import { findBinaries } from './binaries.ts';
import { cacheDirectory } from './cache.ts';
import { helmFits } from './found-helm.ts';
import {
  buildKey,
  helm,
  kubelet,
  kubernetes,
  linkerFlags,
  pinnedVersion,
  requiredVersion,
  runc,
} from './go-module.ts';
import type { Makers } from './search.ts';

const all = ['etcd', 'helm', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'];

test('a first search builds everything into the cache, a second one only looks', async (t) => {
  const world = await newWorld(t);
  const first = await world.find();
  assert.deepEqual(world.built.toSorted(), all);
  assert.ok(Object.values(first).every((file) => file.startsWith(cacheDirectory(world.env))));
  assert.deepEqual(await world.find(), first);
  assert.equal(world.built.length, all.length);
});

test('what KUBEBUILDER_ASSETS holds comes first, and the rest from the next source', async (t) => {
  const world = await newWorld(t);
  const assets = path.join(world.directory, 'assets');
  await program(path.join(assets, 'etcd'));
  await program(path.join(assets, 'kube-apiserver'));
  const found = await world.find({ KUBEBUILDER_ASSETS: assets });
  assert.equal(found.etcd, path.join(assets, 'etcd'));
  assert.equal(found['kube-apiserver'], path.join(assets, 'kube-apiserver'));
  assert.deepEqual(world.built.toSorted(), ['helm', 'kube-controller-manager', 'kube-scheduler', 'kubectl']);
});

test('a Helm on the path is used if it is new enough', async (t) => {
  const world = await newWorld(t);
  const bin = path.join(world.directory, 'bin');
  const helmOnPath = path.join(bin, 'helm');
  await program(helmOnPath, 'echo v3.13.9');
  await world.find({ PATH: bin });
  assert.ok(world.built.includes('helm'));

  const fresh = await newWorld(t);
  await program(helmOnPath, 'echo v3.14.0');
  assert.equal((await fresh.find({ PATH: bin })).helm, helmOnPath);
  assert.ok(!fresh.built.includes('helm'));
});

test('a release is preferred to a build', async (t) => {
  const world = await newWorld(t, { downloads: 'work' });
  await world.find();
  assert.deepEqual(world.built, []);
  assert.deepEqual(world.downloaded.toSorted(), all);
});

test('after one download failed, the rest is built without trying again', async (t) => {
  const world = await newWorld(t, { downloads: 'fail' });
  await world.find();
  assert.equal(world.downloaded.length, 1);
  assert.deepEqual(world.built.toSorted(), all);
  assert.ok(world.lines.some((line) => line.includes('no route to host')));
});

test('CAREEN_DOWNLOAD=never builds at once', async (t) => {
  const world = await newWorld(t, { downloads: 'work' });
  await world.find({ CAREEN_DOWNLOAD: 'never' });
  assert.deepEqual(world.downloaded, []);
});

test('two searches at once build each program once, and leave no lock', async (t) => {
  const world = await newWorld(t);
  const [one, two] = await Promise.all([world.find(), world.find()]);
  assert.deepEqual(one, two);
  assert.deepEqual(world.built.toSorted(), all);
  assert.deepEqual(
    (await readdir(cacheDirectory(world.env))).filter((name) => name.endsWith('.lock')),
    [],
  );
});

test('a build that fails leaves nothing in the cache', async (t) => {
  const world = await newWorld(t, { builds: 'fail' });
  await assert.rejects(world.find(), /out of coffee/);
  const [directory = ''] = await readdir(cacheDirectory(world.env));
  assert.deepEqual(await readdir(path.join(cacheDirectory(world.env), directory)), []);
});

test('the cache is where the user keeps caches', () => {
  assert.equal(cacheDirectory({ XDG_CACHE_HOME: '/c' }), '/c/careen');
  assert.match(cacheDirectory({ XDG_CACHE_HOME: 'relative' }), /^\/.*\.cache\/careen$/);
  assert.match(cacheDirectory({}), /^\/.*\.cache\/careen$/);
});

test('the key changes with go.sum, go.mod and the platform', async (t) => {
  const { path: directory, remove } = await guardedDirectory('careen-binaries-');
  t.after(remove);
  const module = { ...kubernetes, directory };
  const write = (file: string, text: string) => writeFile(path.join(directory, file), text);
  await Promise.all([write('go.mod', 'a'), write('go.sum', 'b')]);
  const keys = [await buildKey(module, 'linux-x64'), await buildKey(module, 'linux-arm64')];
  await write('go.sum', 'c');
  keys.push(await buildKey(module, 'linux-x64'));
  await write('go.mod', 'd');
  keys.push(await buildKey(module, 'linux-x64'));
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(await buildKey(module, 'linux-x64'), keys.at(-1));
});

test('versions are read from go.mod and handed to the linker', () => {
  const goMod =
    'module m\nrequire k8s.io/api v0.1.2\nrequire (\n\tk8s.io/kubernetes v1.36.4 // indirect\n)\n';
  assert.equal(requiredVersion(goMod, 'k8s.io/kubernetes'), 'v1.36.4');
  assert.equal(requiredVersion(goMod, 'k8s.io/api'), 'v0.1.2');
  assert.throws(() => requiredVersion(goMod, 'k8s.io/kube'), /does not require/);
  assert.match(linkerFlags(kubernetes, 'v1.36.4'), /-X k8s.io\/component-base\/version.gitVersion=v1.36.4 /);
  assert.match(linkerFlags(kubernetes, 'v1.36.4'), /gitMinor=36 /);
  assert.match(linkerFlags(helm, 'v4.2.4'), /version.version=v4.2.4$/);
  assert.equal(linkerFlags(runc, 'v1.5.2'), '-s -w -extldflags -static');
});

test("the kubelet has the control plane's version", async () => {
  assert.equal(await pinnedVersion(kubelet), await pinnedVersion(kubernetes));
});

test('Helm fits from 3.14 on', () => {
  assert.deepEqual(['v3.14.0', 'v4.0.0', 'v10.1.0'].map(helmFits), [true, true, true]);
  assert.deepEqual(['v3.9.1', 'v2.17.0', '', 'Emacs'].map(helmFits), [false, false, false, false]);
});

interface World {
  directory: string;
  env: NodeJS.ProcessEnv;
  built: string[];
  downloaded: string[];
  lines: string[];
  find(env?: NodeJS.ProcessEnv): ReturnType<typeof findBinaries>;
}

/** A search with a cache of its own, where building and downloading are quick and counted. */
async function newWorld(
  t: TestContext,
  behaviour: { downloads?: 'work' | 'fail'; builds?: 'fail' } = {},
): Promise<World> {
  const { path: directory, remove } = await guardedDirectory('careen-binaries-');
  t.after(remove);
  const env = { XDG_CACHE_HOME: path.join(directory, 'cache'), PATH: '/nowhere' };
  const world = { directory, env, built: [] as string[], downloaded: [] as string[], lines: [] as string[] };
  const makers: Makers = {
    release: async (name) =>
      behaviour.downloads === undefined
        ? undefined
        : {
            url: `https://releases.test/${name}`,
            checksumUrl: 'https://releases.test/sums',
            algorithm: 'sha256',
          },
    download: async (release, target) => {
      world.downloaded.push(path.basename(release.url));
      if (behaviour.downloads === 'fail')
        throw new Error('fetch failed', { cause: new Error('no route to host') });
      await program(target);
    },
    build: async (_module, name, target) => {
      world.built.push(name);
      await program(target);
      if (behaviour.builds === 'fail') throw new Error('out of coffee');
    },
  };
  const progress = (line: string) => void world.lines.push(line);
  return { ...world, find: (more) => findBinaries({ env: { ...env, ...more }, makers, progress }) };
}

async function program(file: string, body = ':'): Promise<void> {
  if (!existsSync(path.dirname(file))) await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${body}\n`);
  await chmod(file, 0o755);
}
