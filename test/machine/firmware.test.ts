import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { createDisk, slotBits } from './disk.ts';
import { bootNext, FirmwareError, readSlots } from './firmware.ts';
import { memoryMedium, type Medium } from './medium.ts';

type Bits = [priority: number, tries: number, successful: boolean];

const blank = blankDisk();

test('the greater priority boots', () => {
  assert.equal(boot(diskWith([1, 0, true], [2, 1, false])), 'USR-B');
  assert.equal(boot(diskWith([2, 0, true], [1, 0, true])), 'USR-A');
});

test('the first of equal priorities boots', () => {
  assert.equal(boot(diskWith([1, 0, true], [1, 0, true])), 'USR-A');
});

test('priority 0 never boots, and neither does a slot without tries that never was good', () => {
  assert.throws(() => boot(diskWith([0, 3, true], [2, 0, false])), { code: 'NoSlot' });
});

test('a try is used up even on a slot that was good', () => {
  const disk = diskWith([2, 2, true], [1, 0, true]);
  boot(disk);
  assert.equal(readSlots(disk)[0]?.tries, 1);
});

test('a new slot gets its tries and then the old one boots again', () => {
  const disk = diskWith([1, 0, true], [2, 2, false]);
  assert.deepEqual([boot(disk), boot(disk), boot(disk), boot(disk)], ['USR-B', 'USR-B', 'USR-A', 'USR-A']);
});

test('nothing is written when no try is used up', () => {
  const bytes = diskBytes([1, 0, true], [0, 0, false]);
  const before = Buffer.from(bytes);
  bootNext(memoryMedium(bytes));
  assert.ok(bytes.equals(before));
});

test('with a broken primary table the backup decides, and taking a try repairs the primary', () => {
  const bytes = diskBytes([1, 0, true], [2, 2, false]);
  bytes.fill(0xff, 512, 1024);
  assert.equal(boot(memoryMedium(bytes)), 'USR-B');
  bytes.fill(0, bytes.length - 512);
  assert.equal(readSlots(memoryMedium(bytes))[1]?.tries, 1);
});

test('entries that do not fit their checksum make a table invalid', () => {
  const bytes = diskBytes([1, 0, true], [2, 2, false]);
  const flipped = 1024 + 3 * 128 + 54;
  bytes.writeUInt8(bytes.readUInt8(flipped) ^ 1, flipped);
  assert.equal(boot(memoryMedium(bytes)), 'USR-B');
});

test('two different valid tables: the primary wins', () => {
  const newer = diskBytes([1, 0, true], [2, 2, false]);
  const older = diskBytes([2, 0, true], [0, 0, false]);
  newer.copy(older, older.length - 33 * 512, newer.length - 33 * 512);
  assert.equal(boot(memoryMedium(older)), 'USR-A');
});

test('with both tables broken the machine stops', () => {
  const bytes = diskBytes([1, 0, true], [0, 0, false]);
  bytes.fill(0xff, 512, 1024);
  bytes.fill(0xff, bytes.length - 512);
  assert.throws(() => boot(memoryMedium(bytes)), { code: 'NoTable' });
});

test('any table: what boots is what the written rule says, and only one number on the disk changes', () => {
  fc.assert(
    fc.property(bits(), bits(), (a, b) => {
      const disk = diskWith(a, b);
      const chosen = modelled(a, b);
      if (chosen === undefined) return assert.throws(() => boot(disk), FirmwareError);
      assert.equal(boot(disk), chosen.name);
      assert.deepEqual(bitsOf(disk), chosen.after);
    }),
    { numRuns: 2000 },
  );
});

test('a power cut at any write of the firmware leaves a disk that boots the same slot', () => {
  fc.assert(
    fc.property(bits(), bits(), fc.integer({ min: 0, max: 3 }), (a, b, writes) => {
      const chosen = modelled(a, b);
      fc.pre(chosen !== undefined && chosen.triesLeft > 0);
      const bytes = diskBytes(a, b);
      assert.throws(() => bootNext(cutAfter(memoryMedium(bytes), writes)), /power cut/u);
      assert.equal(boot(memoryMedium(bytes)), chosen?.name);
    }),
    { numRuns: 500 },
  );
});

function bits(): fc.Arbitrary<Bits> {
  return fc.tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 15 }), fc.boolean());
}

/** The rule in the words of the reference: eligible, highest priority, first of equals; then one try less. */
function modelled(a: Bits, b: Bits): { name: string; after: Bits[]; triesLeft: number } | undefined {
  const eligible = [a, b].filter(([priority, tries, good]) => priority > 0 && (tries > 0 || good));
  const best = eligible.toSorted((left, right) => right[0] - left[0])[0];
  if (best === undefined) return undefined;
  const used: Bits = [best[0], Math.max(0, best[1] - 1), best[2]];
  const after = best === a ? [used, b] : [a, used];
  return { name: best === a ? 'USR-A' : 'USR-B', after, triesLeft: used[1] };
}

function boot(disk: Medium): string {
  return bootNext(disk).name;
}

function bitsOf(disk: Medium): Bits[] {
  return readSlots(disk).map((slot) => [slot.priority, slot.tries, slot.successful]);
}

/** A medium on which `writes` writes succeed; of the next one the first half of its sectors arrive. */
function cutAfter(disk: Medium, writes: number): Medium {
  let left = writes;
  return {
    ...disk,
    write: (offset, data) => {
      left -= 1;
      if (left >= 0) return disk.write(offset, data);
      disk.write(offset, data.subarray(0, Math.floor(data.length / 1024) * 512));
      throw new Error('power cut');
    },
  };
}

function diskWith(a: Bits, b: Bits): Medium {
  return memoryMedium(diskBytes(a, b));
}

function diskBytes(a: Bits, b: Bits): Buffer {
  const bytes = Buffer.from(blank);
  const last = bytes.length - 512;
  for (const [header, entries] of [
    [512, 1024],
    [last, last - 32 * 512],
  ] as const) {
    for (const [index, values] of [[3, a] as const, [4, b] as const]) {
      bytes.writeUInt16LE(slotBits(...values), entries + (index - 1) * 128 + 54);
    }
    bytes.writeBigUInt64LE(BigInt(header / 512), header + 24);
    bytes.writeBigUInt64LE(BigInt(entries / 512), header + 72);
    bytes.writeUInt32LE(crc32(bytes.subarray(entries, entries + 16_384)), header + 88);
    bytes.writeUInt32LE(0, header + 16);
    bytes.writeUInt32LE(crc32(bytes.subarray(header, header + 92)), header + 16);
  }
  return bytes;
}

/** Both tables of a real image with nothing between them. */
function blankDisk(): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'firmware-'));
  try {
    createDisk(join(directory, 'disk'), { usrMiB: 1 });
    const image = readFileSync(join(directory, 'disk'));
    return Buffer.concat([image.subarray(0, 34 * 512), image.subarray(-33 * 512)]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
