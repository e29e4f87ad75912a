import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SlotError } from '../slot-error.ts';
import { coreosDisk, diskBytes, marks } from '../testing/coreos-disk.ts';
import { firmwareChoice } from '../testing/firmware.ts';
import { RecordingDisk } from '../testing/recording-disk.ts';
import { fallbackSlot, nextSlot } from './choose.ts';
import { readTable } from './read.ts';
import type { Table } from './table.ts';
import { armed, cleared, disarmed, markedGood } from './transitions.ts';

const A = 3;
const B = 4;

async function tableWith(a: bigint, b: bigint): Promise<Table> {
  const disk = new RecordingDisk(diskBytes(coreosDisk({ a, b, slotSectors: 8 })));
  return (await readTable(await disk.open())).table;
}

function marksOf(table: Table, number: number): [number, number, boolean] {
  const { priority, tries, successful } =
    table.partitions.find((partition) => partition.number === number) ?? {};
  return [priority ?? -1, tries ?? -1, successful ?? false];
}

const noSlots = (error: unknown) => error instanceof SlotError && error.code === 'NoSlots';
/** Entries but for the slots' own. */
const others = (entries: Buffer) => [entries.subarray(0, 2 * 128 + 54), entries.subarray(4 * 128)];

const anyMarks = fc.record({ priority: fc.nat(15), tries: fc.nat(15), successful: fc.boolean() });
const bits = ({ priority, tries, successful }: { priority: number; tries: number; successful: boolean }) =>
  marks(priority, tries, successful);

test('the next slot is the one that the firmware chooses, whatever the marks', async () => {
  await fc.assert(
    fc.asyncProperty(anyMarks, anyMarks, async (a, b) => {
      const disk = diskBytes(coreosDisk({ a: bits(a), b: bits(b), slotSectors: 8 }));
      const { table } = await readTable(await new RecordingDisk(disk).open());
      assert.equal(nextSlot(table)?.number, firmwareChoice(disk)?.slot);
      const fallback = fallbackSlot(table)?.number;
      assert.ok(fallback === undefined || fallback !== nextSlot(table)?.number);
    }),
    { numRuns: 1000 },
  );
});

test('the first of equals is chosen, and priority 0 never', async () => {
  assert.equal(nextSlot(await tableWith(marks(3, 0, true), marks(3, 5, true)))?.number, A);
  assert.equal(nextSlot(await tableWith(marks(0, 5, true), marks(1, 0, true)))?.number, B);
  assert.equal(nextSlot(await tableWith(marks(0, 5, true), marks(0, 1, true))), undefined);
  assert.equal(nextSlot(await tableWith(marks(9, 0, false), marks(1, 1, false)))?.number, B);
});

test('an update goes through the states of the reference', async () => {
  const start = await tableWith(marks(2, 0, true), marks(1, 0, true));
  const clear = cleared(start, B);
  assert.deepEqual(
    [marksOf(clear, A), marksOf(clear, B)],
    [
      [2, 0, true],
      [0, 0, false],
    ],
  );
  const arm = armed(clear, B, 2);
  assert.deepEqual(
    [marksOf(arm, A), marksOf(arm, B)],
    [
      [1, 0, true],
      [2, 2, false],
    ],
  );
  assert.equal(fallbackSlot(arm)?.number, A);
  const good = markedGood(arm, B);
  assert.deepEqual(
    [marksOf(good, A), marksOf(good, B)],
    [
      [1, 0, true],
      [2, 0, true],
    ],
  );
  const undone = disarmed(arm, B);
  assert.deepEqual(
    [marksOf(undone, A), marksOf(undone, B)],
    [
      [2, 0, true],
      [0, 0, false],
    ],
  );
});

test('nothing is cleared, armed or given up that would leave nothing to boot', async () => {
  const onlyB = await tableWith(marks(2, 0, false), marks(1, 0, true));
  assert.throws(() => cleared(onlyB, B), noSlots);
  assert.throws(() => disarmed(onlyB, B), noSlots);
  assert.throws(() => armed(onlyB, B, 1), noSlots);
  assert.throws(() => cleared(onlyB, 6), noSlots, 'OEM is not a slot');
  assert.throws(() => armed(onlyB, A, 16), RangeError);
});

test('from any marks, a transition leaves a slot that boots, and the one it promises first', async () => {
  const start = await tableWith(0n, 0n);
  const promises: [string, (table: Table) => Table, number | undefined][] = [
    ['cleared', (table) => cleared(table, B), A],
    ['armed', (table) => armed(table, B, 3), B],
    ['disarmed', (table) => disarmed(table, B), A],
    ['marked good', (table) => markedGood(table, B), B],
    ['given up', (table) => disarmed(table, A), B],
  ];
  await fc.assert(
    fc.asyncProperty(
      anyMarks,
      anyMarks,
      fc.constantFrom(...promises),
      async (a, b, [what, change, first]) => {
        const table = await tableWith(bits(a), bits(b));
        let result: Table;
        try {
          result = change(table);
        } catch (error) {
          assert.ok(error instanceof SlotError && error.code === 'NoSlots');
          return;
        }
        assert.equal(nextSlot(result)?.number, first, what);
        assert.deepEqual(change(result).entries, result.entries, 'done twice is done once');
        assert.deepEqual(others(result.entries), others(start.entries), 'nothing else changes');
      },
    ),
    { numRuns: 1000 },
  );
});
