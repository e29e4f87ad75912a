import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SlotError } from '../slot-error.ts';
import { coreosDisk, diskBytes, DISK_GUID, marks, reseal, USR_A, USR_B } from '../testing/coreos-disk.ts';
import { RecordingDisk } from '../testing/recording-disk.ts';
import { readTable } from './read.ts';
import { slotsOf } from './table.ts';

async function tableOf(disk: Buffer) {
  return readTable(await new RecordingDisk(disk).open());
}

async function refused(disk: Buffer, problem: RegExp) {
  await assert.rejects(tableOf(disk), (error) => {
    assert.ok(error instanceof SlotError);
    assert.equal(error.code, 'GptInvalid');
    assert.match(error.message, problem);
    return true;
  });
}

test('both copies of a CoreOS disk are read, with numbers, names, GUIDs and marks', async () => {
  const { table, problems } = await tableOf(
    diskBytes(coreosDisk({ a: marks(2, 1, false), b: marks(15, 15, true) })),
  );
  assert.deepEqual(problems, []);
  assert.equal(table.header.diskGUID, DISK_GUID);
  assert.deepEqual(
    table.partitions.map(({ number }) => number),
    [1, 3, 4, 6, 9],
  );
  assert.deepEqual(
    slotsOf(table).map(({ uuid, name, priority, tries, successful }) => ({
      uuid,
      name,
      priority,
      tries,
      successful,
    })),
    [
      { uuid: USR_A, name: 'USR-A', priority: 2, tries: 1, successful: false },
      { uuid: USR_B, name: 'USR-B', priority: 15, tries: 15, successful: true },
    ],
  );
});

test('any table that is made is read back as it was made', async () => {
  const entry = fc.record({
    gap: fc.nat(40),
    length: fc.integer({ min: 1, max: 90 }),
    name: fc.string({ maxLength: 36, unit: fc.constantFrom('a', 'Z', '-', 'ü', '文') }),
    uuid: fc.uuid(),
    type: fc.uuid(),
    attributes: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(entry, { maxLength: 12, selector: ({ uuid }) => uuid }),
      fc.shuffledSubarray([1, 2, 3, 4, 9, 17, 24, 25, 40, 77, 100, 128], { minLength: 12 }),
      fc.uuid(),
      async (specs, numbers, diskGUID) => {
        let next = 64;
        const entries = specs.map(({ gap, length, ...rest }, index) => {
          const first = next + gap;
          next = first + length;
          return { number: numbers[index] ?? 0, first, last: next - 1, ...rest };
        });
        const { table } = await tableOf(diskBytes({ sectors: next + 80, diskGUID, entries }));
        assert.equal(table.header.diskGUID, diskGUID);
        assert.deepEqual(
          table.partitions.map(
            ({ number, uuid, type, name, firstLBA, lastLBA, priority, tries, successful }) => ({
              number,
              uuid,
              type,
              name,
              first: firstLBA,
              last: lastLBA,
              marks: marks(priority, tries, successful),
            }),
          ),
          entries
            .toSorted((a, b) => a.number - b.number)
            .map(({ attributes, ...rest }) => ({
              ...rest,
              marks: ((attributes >> 48n) << 48n) & (0x1ffn << 48n),
            })),
        );
      },
    ),
    { numRuns: 150 },
  );
});

test('every single bit that flips in a copy is noticed, and the other copy is used', async () => {
  const good = diskBytes(coreosDisk({ slotSectors: 8 }));
  const last = good.length / 512 - 1;
  const areas = [
    { copy: 'primary', from: 512, to: 512 + 92 },
    { copy: 'primary', from: 1024, to: 1024 + 9 * 128 },
    { copy: 'backup', from: last * 512, to: last * 512 + 92 },
    { copy: 'backup', from: (last - 32) * 512, to: (last - 32) * 512 + 9 * 128 },
  ] as const;
  for (const { copy, from, to } of areas) {
    for (let bit = from * 8; bit < to * 8; bit++) {
      const disk = Buffer.from(good);
      disk[bit >> 3] = (disk[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const found = await tableOf(disk);
      assert.equal(found[copy], undefined, `bit ${bit} of the ${copy} copy`);
      assert.equal(slotsOf(found.table).length, 2);
    }
  }
});

test('a disk without one good copy is refused', async () => {
  await refused(Buffer.alloc(1024 * 1024), /both copies are bad/);
  await refused(Buffer.alloc(512), /too small/);
  const truncated = diskBytes(coreosDisk());
  await refused(truncated.subarray(0, truncated.length - 512), /truncated/);
});

const good = diskBytes(coreosDisk());
const last = good.length / 512 - 1;

/** Changes both copies alike, with checksums that hold. */
function tampered(change: (header: Buffer, entries: Buffer) => void): Buffer {
  const disk = Buffer.from(good);
  for (const [lba, entriesLBA] of [
    [1, 2],
    [last, last - 32],
  ] as const) {
    change(
      disk.subarray(lba * 512, lba * 512 + 512),
      disk.subarray(entriesLBA * 512, entriesLBA * 512 + 16384),
    );
    reseal(disk, lba);
  }
  return disk;
}

const HOSTILE: [string, RegExp, (header: Buffer, entries: Buffer) => void][] = [
  ['another revision', /revision/, (header) => header.writeUInt32LE(0x00020000, 8)],
  ['entries of another size', /128 bytes long/, (header) => header.writeUInt32LE(256, 84)],
  ['no entries', /0 entries/, (header) => header.writeUInt32LE(0, 80)],
  ['a usable area that is empty', /empty/, (header) => header.writeBigUInt64LE(1n, 48)],
  ['a usable area over the primary copy', /inside the primary/, (header) => header.writeBigUInt64LE(3n, 40)],
  [
    'a usable area over the backup copy',
    /no room/,
    (header) => header.writeBigUInt64LE(BigInt(last - 5), 48),
  ],
  ['partitions that overlap', /overlaps/, (_, entries) => entries.writeBigUInt64LE(100n, 3 * 128 + 32)],
  ['a partition before the usable area', /overlaps/, (_, entries) => entries.writeBigUInt64LE(2n, 32)],
  [
    'a partition behind the usable area',
    /beyond/,
    (_, entries) => entries.writeBigUInt64LE(BigInt(last), 8 * 128 + 40),
  ],
  ['a partition that ends before it begins', /goes from/, (_, entries) => entries.writeBigUInt64LE(1n, 40)],
  [
    'two partitions of one GUID',
    /have the GUID/,
    (_, entries) => entries.copy(entries, 3 * 128 + 16, 2 * 128 + 16, 2 * 128 + 32),
  ],
];

for (const [what, problem, change] of HOSTILE) {
  test(`a table with ${what} is refused although its checksums hold`, () =>
    refused(tampered(change), problem));
}

test('a header that claims more entries than 1 MiB holds is refused before they are read', async () => {
  const disk = Buffer.from(good);
  for (const lba of [1, last]) {
    disk.writeUInt32LE(8193, lba * 512 + 80);
    const header = disk.subarray(lba * 512, lba * 512 + 92);
    header.writeUInt32LE(0, 16);
    header.writeUInt32LE((await import('node:zlib')).crc32(header), 16);
  }
  const recording = new RecordingDisk(disk);
  await assert.rejects(readTable(await recording.open()), /8193 entries/);
});

test('the primary copy counts when the two are good but differ', async () => {
  const disk = Buffer.from(good);
  disk.writeBigUInt64LE(marks(7, 7, false), (last - 32) * 512 + 3 * 128 + 48);
  reseal(disk, last);
  const { table, backup } = await tableOf(disk);
  assert.equal(slotsOf(table)[1]?.priority, 1);
  assert.equal(backup && slotsOf(backup)[1]?.priority, 7);
});
