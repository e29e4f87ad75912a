import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { SlotErrorCode } from '../slot-error.ts';
import { SlotError } from '../slot-error.ts';
import { coreosDisk, diskBytes, DISK_GUID, marks, reseal, USR_A, USR_B } from '../testing/coreos-disk.ts';
import { boot, firmwareChoice } from '../testing/firmware.ts';
import { RecordingDisk, subsets } from '../testing/recording-disk.ts';
import { GptEngine } from './gpt-engine.ts';

const A = 3;
const B = 4;

function engineOn(bytes: Buffer, running = USR_A, diskID?: string) {
  const disk = new RecordingDisk(bytes);
  return { disk, engine: new GptEngine(disk, { running, diskID }) };
}

function code(wanted: SlotErrorCode) {
  return (error: unknown) => {
    assert.ok(error instanceof SlotError, String(error));
    assert.equal(error.code, wanted);
    return true;
  };
}

test('the status tells slots, marks, what runs and what would boot', async () => {
  const { engine } = engineOn(diskBytes(coreosDisk({ a: marks(1, 0, true), b: marks(2, 3, false) })));
  assert.deepEqual(await engine.status(), {
    slots: [
      { name: 'USR-A', partUUID: USR_A, priority: 1, tries: 0, successful: true, booted: true, next: false },
      { name: 'USR-B', partUUID: USR_B, priority: 2, tries: 3, successful: false, booted: false, next: true },
    ],
    running: 'USR-A',
    passive: 'USR-B',
    next: 'USR-B',
    fallback: 'USR-A',
    diskID: DISK_GUID,
    damaged: false,
  });
});

test('another disk is refused: by the running PARTUUID, and by the pinned GUID', async () => {
  const stranger = 'deadbeef-dead-4bee-8fde-adbeefdeadbe';
  await assert.rejects(engineOn(diskBytes(coreosDisk()), stranger).engine.status(), code('WrongDisk'));
  await assert.rejects(engineOn(diskBytes(coreosDisk()), USR_A, stranger).engine.clear(), code('WrongDisk'));
  await engineOn(diskBytes(coreosDisk()), USR_A.toUpperCase(), DISK_GUID.toUpperCase()).engine.status();
});

test('a disk with no slots, one slot or three is refused', async () => {
  const spec = coreosDisk();
  const without = (names: string[]) => ({
    ...spec,
    entries: spec.entries.filter(({ name }) => !names.includes(name)),
  });
  await assert.rejects(engineOn(diskBytes(without(['USR-A', 'USR-B']))).engine.status(), code('NoSlots'));
  await assert.rejects(engineOn(diskBytes(without(['USR-B']))).engine.status(), code('NoSlots'));
  const usr = spec.entries.find(({ name }) => name === 'USR-A')?.type ?? '';
  const third = spec.entries.map((entry) => (entry.name === 'OEM' ? { ...entry, type: usr } : entry));
  await assert.rejects(engineOn(diskBytes({ ...spec, entries: third })).engine.status(), code('NoSlots'));
});

test('the running slot is never opened, nor one that does not exist', async () => {
  const { engine } = engineOn(diskBytes(coreosDisk()), USR_B);
  await assert.rejects(engine.open('USR-B'), code('SlotRunning'));
  await assert.rejects(engine.open('USR-C'), code('NoSlots'));
  const target = await engine.open();
  assert.equal(target.name, 'USR-A');
  await target.close();
});

test('a bad copy is repaired once, and opening and status write nothing', async () => {
  const bytes = diskBytes(coreosDisk());
  bytes.fill(0, 512, 600);
  const { engine, disk } = engineOn(bytes);
  assert.equal((await engine.status()).damaged, true);
  await (await engine.open()).close();
  assert.equal(disk.operations, 0);
  assert.equal(await engine.repair(), true);
  assert.equal((await engine.status()).damaged, false);
  assert.equal(await engine.repair(), false);
  assert.deepEqual(disk.durable, diskBytes(coreosDisk()));
});

test('a change is decided anew when another program wrote the table meanwhile', async () => {
  const { engine, disk } = engineOn(diskBytes(coreosDisk()));
  let reads = 0;
  disk.fault = (operation) => {
    // Between reading and committing; the fifth read begins the commit's own look at the disk.
    if (operation !== 'read' || ++reads !== 5) return;
    disk.bytes.writeBigUInt64LE(marks(5, 0, true), 1024 + (A - 1) * 128 + 48);
    reseal(disk.bytes, 1);
    disk.durable = Buffer.from(disk.bytes);
  };
  await engine.clear();
  const { slots } = await engine.status();
  assert.deepEqual(
    slots.map(({ priority }) => priority),
    [5, 0],
  );
});

test('changes asked for at once happen one after another', async () => {
  const { engine } = engineOn(diskBytes(coreosDisk()));
  await Promise.all([engine.clear(), engine.arm(1), engine.disarm(), engine.arm(3)]);
  const { slots } = await engine.status();
  assert.deepEqual(
    slots.map(({ priority, tries }) => [priority, tries]),
    [
      [1, 0],
      [2, 3],
    ],
  );
});

test('a failed first boot goes back: by itself when tries run out, at once when the slot is given up', async () => {
  const { engine, disk } = engineOn(diskBytes(coreosDisk({ b: 0n })));
  await engine.arm(2);
  assert.deepEqual([boot(disk.bytes), boot(disk.bytes), boot(disk.bytes)], [B, B, A]);
  await engine.arm(2);
  assert.equal(boot(disk.bytes), B);
  await new GptEngine(disk, { running: USR_B }).fallBack();
  assert.equal(boot(disk.bytes), A);
  assert.deepEqual(
    (await engine.status()).slots.map(({ priority }) => priority),
    [2, 0],
  );
});

class Killed extends Error {}

const IMAGE = randomBytes(5 * 4096 + 512);
const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** An update as the agent does it, from whatever the disk is like; ends on a good slot B. */
async function update(disk: RecordingDisk): Promise<void> {
  const onA = new GptEngine(disk, { running: USR_A });
  await onA.repair();
  const target = await onA.open();
  await target.clear();
  for (let at = 0; at < IMAGE.length; at += 4096)
    await target.medium.write(at, IMAGE.subarray(at, at + 4096));
  await target.medium.sync();
  assert.equal(digest(await target.medium.readBack(0, IMAGE.length)), digest(IMAGE));
  await onA.arm(2);
  await rebootInto(disk);
  await new GptEngine(disk, { running: USR_B }).markGood();
}

/** The bootloader's own writes are no place where the agent could be killed. */
async function rebootInto(disk: RecordingDisk): Promise<void> {
  const { fault } = disk;
  disk.fault = () => {};
  assert.equal(boot(disk.bytes), B);
  disk.durable = Buffer.from(disk.bytes);
  disk.fault = fault;
}

function slotIsGood(disk: Buffer, slot: number | undefined): boolean {
  if (slot === A) return true;
  const start = (coreosDisk().entries.find(({ number }) => number === B)?.first ?? 0) * 512;
  return slot === B && digest(disk.subarray(start, start + IMAGE.length)) === digest(IMAGE);
}

test('killed or cut between any two writes of a whole update, the machine boots a good slot and updates', async () => {
  const start = diskBytes(coreosDisk({ b: marks(1, 0, true) }));
  let cuts = 0;
  for (let last = 0; ; last++) {
    const disk = new RecordingDisk(start);
    let operations = 0;
    disk.fault = (operation) => {
      if (operation !== 'read' && operations++ === last) throw new Killed();
    };
    const killed = await update(disk).then(
      () => false,
      () => true,
    );
    for (const saved of subsets(disk.changed)) {
      const after = disk.after(saved);
      const choice = firmwareChoice(after);
      assert.ok(slotIsGood(after, choice?.slot), `operation ${last}: boots ${choice?.slot}`);
      cuts++;
      if (choice?.slot !== A) continue;
      const again = new RecordingDisk(after);
      boot(again.bytes);
      again.durable = Buffer.from(again.bytes);
      await update(again);
      assert.equal(firmwareChoice(again.durable)?.slot, B);
    }
    if (!killed) break;
  }
  assert.ok(cuts > 100, `${cuts} cuts`);
});
