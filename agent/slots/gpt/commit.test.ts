import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { SlotError } from '../slot-error.ts';
import { coreosDisk, diskBytes, marks, reseal } from '../testing/coreos-disk.ts';
import { firmwareChoice } from '../testing/firmware.ts';
import { RecordingDisk, subsets } from '../testing/recording-disk.ts';
import { commit, isIntact } from './commit.ts';
import { readTable } from './read.ts';
import type { Table } from './table.ts';
import { armed, cleared, markedGood } from './transitions.ts';

const A = 3;
const B = 4;
const PRIMARY = 512;

type Change = (table: Table) => Table;

/** Every disk that a power cut during the commit can leave, and the one that it leaves at the end. */
async function crashes(start: Buffer, change: Change): Promise<{ cut: Buffer[]; end: Buffer }> {
  const disk = new RecordingDisk(start);
  const medium = await disk.open();
  const cut: Buffer[] = [];
  // Looked at before each operation and at the end: what is pending then may be saved in any part.
  disk.fault = (operation) => {
    if (operation === 'read') return;
    for (const saved of subsets(disk.changed)) cut.push(disk.after(saved));
    cut.push(...tornSectors(disk));
  };
  const found = await readTable(medium);
  await commit(medium, found, change(found.table));
  assert.deepEqual(disk.pending, [], 'the commit ends with a sync');
  return { cut, end: disk.durable };
}

/** A device that tears inside a sector: half of one changed sector is old, the others are new. */
function tornSectors(disk: RecordingDisk): Buffer[] {
  return disk.changed.map((at) => {
    const torn = disk.after(disk.changed);
    disk.durable.copy(torn, at * 512 + 256, at * 512 + 256, at * 512 + 512);
    return torn;
  });
}

const STARTS: [string, bigint, bigint, Change, number, number][] = [
  ['clearing', marks(2, 0, true), marks(1, 0, true), (table) => cleared(table, B), A, A],
  ['arming', marks(2, 0, true), 0n, (table) => armed(table, B, 2), A, B],
  ['marking good', marks(1, 0, true), marks(2, 1, false), (table) => markedGood(table, B), B, B],
];

/** A disk and what was done to it beforehand. */
const DAMAGES: [string, (disk: Buffer) => void][] = [
  ['two good copies', () => {}],
  ['a bad primary header', (disk) => disk.fill(0, PRIMARY + 16, PRIMARY + 20)],
  ['bad primary entries', (disk) => disk.fill(255, 1024 + 300, 1024 + 310)],
  ['primary entries bad behind the first 4 KiB', (disk) => disk.fill(1, 9000, 9100)],
  ['no primary copy at all', (disk) => disk.fill(0, PRIMARY, 34 * 512)],
  ['a bad backup header', (disk) => disk.fill(0, disk.length - 512, disk.length - 400)],
  ['no backup copy at all', (disk) => disk.fill(0, disk.length - 33 * 512)],
  ['a stale backup copy', staleBackup],
];

function staleBackup(disk: Buffer): void {
  const last = disk.length / 512 - 1;
  disk.writeBigUInt64LE(marks(0, 0, false), (last - 32) * 512 + 2 * 128 + 48);
  reseal(disk, last);
}

for (const [what, a, b, change, before, after] of STARTS) {
  for (const [state, damage] of DAMAGES) {
    test(`power cut while ${what} with ${state} always boots the old or the new choice`, async () => {
      const start = diskBytes(coreosDisk({ a, b }));
      damage(start);
      assert.equal(firmwareChoice(start)?.slot, before);
      const { cut, end } = await crashes(start, change);
      assert.ok(cut.length > 5);
      for (const disk of cut) {
        const slot = firmwareChoice(disk)?.slot;
        assert.ok(slot === before || slot === after, `boots ${slot}`);
      }
      assert.deepEqual(firmwareChoice(end), { slot: after, copy: 'primary' });
      assert.ok(isIntact(await readTable(await new RecordingDisk(end).open())));
      assert.equal(end.toString('latin1', 0, 20), 'boot code boot code ', 'the MBR stays');
    });
  }
}

test('with two good copies, no power cut costs both at once, and only marks and checksums change', async () => {
  const start = diskBytes(coreosDisk({ b: 0n }));
  const { cut, end } = await crashes(start, (table) => armed(table, B, 3));
  for (const disk of cut) {
    const { primary, backup } = await readTable(await new RecordingDisk(disk).open());
    assert.ok(primary ?? backup);
  }
  const changed = [...end.keys()].filter((at) => end[at] !== start[at]);
  const last = end.length - 512;
  const allowed = (at: number) =>
    [PRIMARY, last].some(
      (header) => (at >= header + 16 && at < header + 20) || (at >= header + 88 && at < header + 92),
    ) ||
    [1024, last - 32 * 512].some((entries) =>
      [A, B].some((n) => at === entries + (n - 1) * 128 + 54 || at === entries + (n - 1) * 128 + 55),
    );
  assert.deepEqual(
    changed.filter((at) => !allowed(at)),
    [],
  );
});

test('the primary copy is committed by one aligned write of 4 KiB, after the backup is safe', async () => {
  const disk = new RecordingDisk(diskBytes(coreosDisk({ b: 0n })));
  const medium = await disk.open();
  const log: string[] = [];
  disk.fault = (operation, offset) => {
    if (operation !== 'read') log.push(operation === 'sync' ? 'sync' : `write ${offset}`);
  };
  const found = await readTable(medium);
  await commit(medium, found, armed(found.table, B, 1));
  assert.deepEqual(log, [`write ${disk.bytes.length - 33 * 512}`, 'sync', 'write 0', 'sync']);
});

test('nothing is written when nothing changes', async () => {
  const disk = new RecordingDisk(diskBytes(coreosDisk()));
  const medium = await disk.open();
  const found = await readTable(medium);
  assert.equal(await commit(medium, found, found.table), false);
  assert.equal(disk.operations, 0);
});

test('another writer between reading and committing is noticed, and nothing is written', async () => {
  const disk = new RecordingDisk(diskBytes(coreosDisk()));
  const medium = await disk.open();
  const found = await readTable(medium);
  disk.bytes.writeBigUInt64LE(marks(9, 0, true), 1024 + 3 * 128 + 48);
  reseal(disk.bytes, 1);
  await assert.rejects(
    commit(medium, found, cleared(found.table, B)),
    (error) => error instanceof SlotError && error.code === 'SlotBusy',
  );
  assert.equal(disk.operations, 0);
});

test('a disk that forgets what it said it kept is reported', async () => {
  const disk = new RecordingDisk(diskBytes(coreosDisk()));
  const medium = await disk.open();
  const found = await readTable(medium);
  const old = Buffer.from(disk.bytes);
  const readBack = async (offset: number, length: number) => old.subarray(offset, offset + length);
  const forgetful = { ...medium, readBack };
  await assert.rejects(
    commit(forgetful, found, cleared(found.table, B)),
    (error) => error instanceof SlotError && error.code === 'IoError',
  );
});

test('a failing disk ends in its own code at every operation, and still boots', async () => {
  const errnos = {
    EIO: 'IoError',
    EROFS: 'ReadOnlyDevice',
    EPERM: 'ReadOnlyDevice',
    ENOSPC: 'DiskFull',
  } as const;
  for (const [errno, code] of Object.entries(errnos)) {
    for (let failing = 1; failing <= 4; failing++) {
      const disk = new RecordingDisk(diskBytes(coreosDisk({ b: 0n })));
      let operations = 0;
      disk.fault = (operation) => {
        if (operation !== 'read' && ++operations === failing)
          throw Object.assign(new Error(errno), { code: errno });
      };
      const medium = await disk.open();
      const found = await readTable(medium);
      await assert.rejects(
        commit(medium, found, armed(found.table, B, 1)),
        (error) => error instanceof SlotError && error.code === code,
      );
      for (const saved of subsets(disk.changed)) assert.ok(firmwareChoice(disk.after(saved)));
    }
  }
});

test('a table of any number of entries is committed, the changed ones wherever they are', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(24, 25, 64, 128, 200, 256), fc.boolean(), async (count, far) => {
      const spec = coreosDisk({ b: 0n });
      const entries = spec.entries.map((entry) => ({
        ...entry,
        number: far && entry.number >= 3 ? count - 9 + entry.number : entry.number,
      }));
      const sectors = spec.sectors + 200;
      const shifted = entries.map((entry) => ({ ...entry, first: entry.first + 80, last: entry.last + 80 }));
      const disk = new RecordingDisk(diskBytes({ ...spec, sectors, entries: shifted, count }));
      const medium = await disk.open();
      const found = await readTable(medium);
      const b = shifted.find(({ name }) => name === 'USR-B')?.number ?? 0;
      await commit(medium, found, armed(found.table, b, 1));
      const again = await readTable(medium);
      assert.ok(isIntact(again));
      assert.equal(again.table.partitions.find(({ number }) => number === b)?.tries, 1);
      assert.equal(crc32(again.table.entries), again.table.header.entriesCRC);
    }),
    { numRuns: 60 },
  );
});
