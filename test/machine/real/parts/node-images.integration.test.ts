import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { guarded, guardedDirectory, type GuardedProcess } from '#test/cluster/guardian.ts';
import { freePort } from '#test/cluster/port.ts';
import { until } from '#test/cluster/until.ts';
import { findDebianTool } from './debian-tool.ts';
import { nodeImages } from './node-images.ts';
import { shellImage } from './shell-image.ts';

const skip = await findDebianTool('gcc').then(
  () => undefined,
  (error: unknown) => (error as Error).message,
);
const options = skip === undefined ? {} : { skip };
const run = promisify(execFile);

test('the images have the names that nodes ask for', options, async (t) => {
  const { pause, shop } = await nodeImages();
  assert.equal(await nameOf(await unpack(t, pause)), 'localhost/pause:1');
  assert.equal(await nameOf(await unpack(t, shop)), 'docker.io/library/shop:1');
});

test('a shop is open on its port until it is told to end, and then it ends at once', options, async (t) => {
  const port = await freePort();
  const shop = await start(t, 'shop', [String(port)]);
  const url = `http://127.0.0.1:${port}/`;
  await until('it is open', async () => (await fetch(url)).status === 200);
  assert.deepEqual(await Promise.all(Array.from({ length: 20 }, () => visit(url))), Array(20).fill('open\n'));
  await endsAtOnce(shop);
});

test('a shop without a port only waits', options, async (t) => {
  const shop = await start(t, 'shop', ['0']);
  assert.ok(shop.running);
  await endsAtOnce(shop);
});

test('a pause ends at once when it is told to', options, async (t) => {
  await endsAtOnce(await start(t, 'pause'));
});

test('the image with a shell has one', options, async (t) => {
  const directory = await unpack(t, await shellImage());
  await run('tar', ['-xf', await layerOf(directory), '-C', directory]);
  const { stdout } = await run(path.join(directory, 'bin/sh'), ['-c', 'echo works']);
  assert.equal(stdout, 'works\n');
});

async function visit(url: string): Promise<string> {
  return (await fetch(url)).text();
}

/** In good order, which it does only where it hears TERM: one that goes on is waited for in vain. */
async function endsAtOnce(program: GuardedProcess): Promise<void> {
  program.signal('SIGTERM');
  await until('it has ended', () => !program.running, { timeoutMs: 10_000 });
  assert.equal(await program.exited, 0);
}

/** The program of an image, which has begun: its signals are set when it first sleeps. */
async function start(t: TestContext, name: 'pause' | 'shop', args: string[] = []): Promise<GuardedProcess> {
  const directory = await unpack(t, (await nodeImages())[name]);
  await run('tar', ['-xf', await layerOf(directory), '-C', directory]);
  const program = await guarded(path.join(directory, name), args);
  t.after(() => program.stop());
  await until('it waits', async () => / S /u.test(await readFile(`/proc/${program.pid}/stat`, 'utf8')));
  return program;
}

async function unpack(t: TestContext, archive: string): Promise<string> {
  const { path: directory, remove } = await guardedDirectory('careen-node-image-');
  t.after(remove);
  await run('tar', ['-xf', archive, '-C', directory]);
  return directory;
}

interface Index {
  manifests: { digest: string; annotations: Record<string, string> }[];
}

async function nameOf(layout: string): Promise<string | undefined> {
  const index = await json<Index>(path.join(layout, 'index.json'));
  return index.manifests[0]?.annotations['io.containerd.image.name'];
}

async function layerOf(layout: string): Promise<string> {
  const index = await json<Index>(path.join(layout, 'index.json'));
  const manifest = await json<{ layers: { digest: string }[] }>(blob(layout, index.manifests[0]!.digest));
  return blob(layout, manifest.layers[0]!.digest);
}

function blob(layout: string, digest: string): string {
  return path.join(layout, 'blobs', digest.replace(':', '/'));
}

async function json<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T;
}
