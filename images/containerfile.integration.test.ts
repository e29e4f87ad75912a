import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { isExecutable } from '#test/cluster/binaries/found-helm.ts';
import { guardedDirectory, type GuardedDirectory } from '#test/cluster/guardian.ts';
import { buildImages, type BuiltImages } from './build-images.ts';
import { listEntries, unpackImage, type Entry } from './unpacked-image.fixture.ts';

// A real builder, from Debian's package of the same name; podman and docker read a Containerfile as it does.
const buildah = '/usr/bin/buildah';
const missing = (await isExecutable(buildah)) ? [] : ['buildah (apt-get install buildah)'];
const unprivileged = process.getuid?.() === 0 ? [] : ['root'];
const needs = [...missing, ...unprivileged].join(' and ');
const options = needs === '' ? {} : { skip: `needs ${needs}` };

let work: GuardedDirectory;
let built: BuiltImages;

before(async () => {
  if (needs !== '') return;
  work = await guardedDirectory('careen-containerfile-test-');
  built = await buildImages({ directory: path.join(work.path, 'images') });
});

after(() => work?.remove());

for (const name of ['operators', 'agent'] as const) {
  test(
    `the Containerfile's ${name} image has the files and the settings of the archive`,
    options,
    async () => {
      const context = path.join(work.path, 'images/context');
      const file = path.join(import.meta.dirname, 'Containerfile');
      const build = ['build', '--isolation=chroot', '--pull-never', `--target=${name}`, `--tag=${name}`];
      await builder(...build, `--build-arg=VERSION=${await version()}`, `--file=${file}`, context);
      const ours = await unpackImage(built[name], path.join(work.path, name));
      assert.deepEqual(await filesOf(name), ours.entries);
      assert.deepEqual(await configOf(name), ours.config);
    },
  );

  test(`another engine reads the archive of the ${name} image`, options, async () => {
    const id = await builder('pull', '--quiet', `oci-archive:${built[name]}`);
    const known = await builder('images', '--format={{.ID}}={{.Name}}:{{.Tag}}', '--no-trunc');
    assert.match(known, new RegExp(`${id.trim()} *= *docker.io/careen/${name}:${await version()}`));
  });
}

/** In a store of its own; nothing is fetched, nothing is run. */
async function builder(...args: string[]): Promise<string> {
  const store = ['--storage-driver=vfs', `--root=${work.path}/store`, `--runroot=${work.path}/run`];
  const env = { PATH: process.env['PATH'], HOME: work.path, TMPDIR: work.path };
  const { stdout } = await promisify(execFile)(buildah, [...store, ...args], { env });
  return stdout;
}

async function filesOf(image: string): Promise<Entry[]> {
  const container = (await builder('from', '--pull-never', image)).trim();
  return listEntries((await builder('mount', container)).trim());
}

/** Without the builder's own version, which it puts among the labels. */
async function configOf(image: string): Promise<unknown> {
  const said = JSON.parse(await builder('inspect', '--type=image', image)) as {
    OCIv1: { config: { Labels: Record<string, string> } };
  };
  const { 'io.buildah.version': _, ...labels } = said.OCIv1.config.Labels;
  return { ...said.OCIv1.config, Labels: labels };
}

async function version(): Promise<string> {
  const text = await readFile(path.join(import.meta.dirname, '../package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
