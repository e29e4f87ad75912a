import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseManifest } from './manifest.ts';
import { generateKey, verify } from './minisign.ts';
import { publishPayload } from './publish.ts';

let directory: string;
let image: string;
const content = Buffer.concat([randomBytes(100_000), Buffer.alloc(300_000), randomBytes(777)]);
const { publicKey, secretKey } = generateKey();
const chunkSize = 65_536;

const digest = (data: Buffer) => createHash('sha256').update(data).digest('hex');

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'careen-publish-'));
  image = join(directory, 'image');
  await writeFile(image, content);
});
after(() => rm(directory, { recursive: true, force: true }));

test('a payload has a signed manifest, its signature and a blob', async () => {
  const published = await publishPayload({
    image,
    version: '2.0.0',
    outDir: directory,
    secretKey,
    chunkSize,
  });
  assert.deepEqual(await readdir(join(directory, '2.0.0')), [
    'blob',
    'manifest.json',
    'manifest.json.minisig',
  ]);
  const bytes = await readFile(published.manifest);
  assert.equal(published.sha256, digest(bytes));
  verify(bytes, await readFile(`${published.manifest}.minisig`, 'utf8'), [publicKey]);
  const manifest = parseManifest(bytes);
  assert.equal(manifest.sha256, digest(content));
  assert.equal(manifest.chunks.length, 7);
  assert.ok(published.blobSize < 110_000);
});

test('the whole blob unpacks with plain zstd', async (context) => {
  if (spawnSync('zstd', ['--version']).status !== 0) return context.skip('zstd is not installed');
  await publishPayload({ image, version: '2.0.1', outDir: directory, secretKey, chunkSize });
  const unpacked = execFileSync('zstd', ['-dc', join(directory, '2.0.1', 'blob')], { maxBuffer: 10 ** 6 });
  assert.ok(unpacked.equals(content));
});

test('without compression the blob is the image', async () => {
  await publishPayload({ image, version: '2.0.2', outDir: directory, secretKey, compression: 'none' });
  assert.ok((await readFile(join(directory, '2.0.2', 'blob'))).equals(content));
});

test('a version that is a path, a wrong chunk size and an empty image are refused', async () => {
  const options = { image, version: '2.0.3', outDir: directory, secretKey };
  await assert.rejects(publishPayload({ ...options, version: '../2.0.3' }), RangeError);
  await assert.rejects(publishPayload({ ...options, chunkSize: 0 }), RangeError);
  await writeFile(join(directory, 'empty'), '');
  await assert.rejects(publishPayload({ ...options, image: join(directory, 'empty') }), /not usable/);
});
