import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createDisk, USR_A, USR_B } from './disk.ts';
import { readSlots } from './firmware.ts';
import { withImage } from './medium.ts';

const directory = mkdtempSync(join(tmpdir(), 'disk-'));
after(() => rmSync(directory, { recursive: true }));

test('the firmware finds USR-A and USR-B as entries 3 and 4 with their constant PARTUUIDs', () => {
  const path = join(directory, 'layout');
  createDisk(path, { usrMiB: 32 });
  const slots = withImage(path, readSlots).map((slot) => [slot.index, slot.name, slot.partuuid, slot.size]);
  assert.deepEqual(slots, [
    [3, 'USR-A', USR_A, 32 * 1024 * 1024],
    [4, 'USR-B', USR_B, 32 * 1024 * 1024],
  ]);
});

test('entries 5 and 8 are empty and no two partitions overlap', () => {
  const partitions = createDisk(join(directory, 'entries'), { usrMiB: 33 });
  assert.deepEqual(
    partitions.map(({ index }) => index),
    [1, 2, 3, 4, 6, 7, 9],
  );
  for (const [index, partition] of partitions.entries()) {
    const next = partitions[index + 1];
    assert.ok(next === undefined || partition.offset + partition.size <= next.offset, partition.name);
  }
});

test('a new disk is sparse', () => {
  createDisk(join(directory, 'sparse'));
  const { size, blocks } = statSync(join(directory, 'sparse'));
  assert.ok(size > 128 * 1024 * 1024 && blocks * 512 < 1024 * 1024, `${size} ${blocks}`);
});

test('an image that is larger than the slot is refused', () => {
  writeFileSync(join(directory, 'large'), Buffer.alloc(2 * 1024 * 1024, 1));
  assert.throws(
    () => createDisk(join(directory, 'small'), { usrMiB: 1, osImage: join(directory, 'large') }),
    /does not fit/u,
  );
});

test('other partition tools find nothing wrong', (context) => {
  const path = join(directory, 'judged');
  createDisk(path);
  const sgdisk = spawnSync('sgdisk', ['-v', path], { encoding: 'utf8' });
  const sfdisk = spawnSync('sfdisk', ['--verify', path], { encoding: 'utf8' });
  if (sgdisk.error && sfdisk.error) return context.skip('neither sgdisk nor sfdisk is installed');
  if (!sgdisk.error) assert.match(sgdisk.stdout, /No problems found/u);
  if (!sfdisk.error) assert.match(sfdisk.stdout + sfdisk.stderr, /No errors detected/u);
});
