import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as fc from 'fast-check';
import { openMedium } from './file-medium.ts';
import { SlotError } from './slot-error.ts';

let directory: string;
let path: string;
const content = randomBytes(3 * 1024 * 1024 + 1000);

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'careen-medium-'));
  path = join(directory, 'disk');
  await writeFile(path, content);
});
after(() => rm(directory, { recursive: true, force: true }));

test('any stretch is read back from the medium as it is read from the cache', async () => {
  const extent = { offset: 4096 + 512, size: content.length - 4096 - 512 };
  const medium = await openMedium(path, { writable: false, extent });
  const offsets = fc.nat(extent.size - 1);
  await fc.assert(
    fc.asyncProperty(offsets, offsets, async (a, b) => {
      const [offset, length] = [Math.min(a, b), Math.abs(a - b)];
      const wanted = content.subarray(extent.offset + offset, extent.offset + offset + length);
      assert.ok((await medium.readBack(offset, length)).equals(wanted));
      assert.ok((await medium.read(offset, length)).equals(wanted));
    }),
    { numRuns: 60 },
  );
  await medium.close();
});

test('where the system cannot read past the page cache, that is told, and the cache is read', async () => {
  const told: string[] = [];
  const onCached = (where: string) => told.push(where);
  // The files of /proc refuse O_DIRECT.
  const medium = await openMedium('/proc/version', {
    writable: false,
    extent: { offset: 0, size: 5 },
    onCached,
  });
  assert.equal((await medium.readBack(0, 5)).toString(), 'Linux');
  assert.deepEqual(told, ['/proc/version']);
  await medium.close();
  const other = await openMedium(path, { writable: false, onCached });
  await other.readBack(0, 5);
  assert.equal(told.length, 1);
  await other.close();
});

test('reads at once do not mix, although they share one window', async () => {
  const medium = await openMedium(path, { writable: false });
  const offsets = Array.from({ length: 40 }, (_, index) => index * 70_001);
  const read = await Promise.all(offsets.map((offset) => medium.readBack(offset, 100_000)));
  for (const [index, bytes] of read.entries()) {
    const offset = offsets[index] ?? 0;
    assert.ok(bytes.equals(content.subarray(offset, offset + 100_000)));
  }
  await medium.close();
});

test('what is written within an extent lands there, and nothing is written beyond it', async () => {
  const image = join(directory, 'image');
  await writeFile(image, Buffer.alloc(16384));
  const medium = await openMedium(image, { writable: true, extent: { offset: 4096, size: 8192 } });
  await medium.write(8000, Buffer.alloc(192, 7));
  await medium.sync();
  await assert.rejects(medium.write(8000, Buffer.alloc(193)), code('IoError'));
  await assert.rejects(medium.readBack(-1, 5), code('IoError'));
  await medium.close();
  const bytes = await readFile(image);
  assert.deepEqual([...bytes.keys()].filter((at) => bytes[at] !== 0).length, 192);
  assert.equal(bytes.indexOf(7), 4096 + 8000);
});

test('no file, no room and no right to write have their own codes', async () => {
  await assert.rejects(openMedium(join(directory, 'none'), { writable: true }), code('WrongDisk'));
  const full = await open('/dev/full', 'r+');
  await full.close();
  const medium = await openMedium('/dev/full', { writable: true, extent: { offset: 0, size: 4096 } });
  await assert.rejects(medium.write(0, Buffer.alloc(512)), code('DiskFull'));
  await medium.close();
  const readOnly = await openMedium(path, { writable: false });
  await assert.rejects(readOnly.write(0, Buffer.alloc(1)), SlotError);
  await readOnly.close();
});

function code(wanted: string) {
  return (error: unknown) => error instanceof SlotError && error.code === wanted;
}
