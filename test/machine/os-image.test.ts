import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createDisk } from './disk.ts';
import { buildOsImage, readImageFile } from './os-image.ts';

const directory = mkdtempSync(join(tmpdir(), 'os-image-'));
after(() => rmSync(directory, { recursive: true }));

test('an image says which version it is and how it behaves, read out of the partition of a disk', async () => {
  const path = await image('2.0.0', 'hang');
  const slot = createDisk(join(directory, 'disk'), { usrMiB: 16, osImage: path })[2]!;
  const disk = join(directory, 'disk');
  assert.match((await readImageFile(disk, slot.offset, 'lib/os-release')) ?? '', /^VERSION_ID=2\.0\.0$/mu);
  assert.equal(await readImageFile(disk, slot.offset, 'lib/careen-test/behaviour'), 'hang\n');
});

test('a slot without a file system holds no file', async () => {
  const slot = createDisk(join(directory, 'empty'), { usrMiB: 16 })[2]!;
  assert.equal(await readImageFile(join(directory, 'empty'), slot.offset, 'lib/os-release'), undefined);
});

test('the same options give the same bytes', async () => {
  const first = digest(await image('1.0.0', 'ok', 'first'));
  assert.equal(digest(await image('1.0.0', 'ok', 'second')), first);
  assert.notEqual(digest(await image('1.0.1', 'ok', 'third')), first);
});

async function image(version: string, behaviour: 'ok' | 'hang', name = version): Promise<string> {
  const path = join(directory, name);
  await buildOsImage({ path, version, behaviour, bulkMiB: 6 });
  return path;
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
