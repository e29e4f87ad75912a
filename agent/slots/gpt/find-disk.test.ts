import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SlotError } from '../slot-error.ts';
import { coreosDisk, diskBytes, USR_A, USR_B } from '../testing/coreos-disk.ts';
import { findDisk, partUUIDOf, runningPartUUID } from './find-disk.ts';

test('the running slot is what the kernel command line mounts /usr from', () => {
  const flatcar = `BOOT_IMAGE=/flatcar/vmlinuz-a mount.usr=/dev/mapper/usr verity.usr=PARTUUID=${USR_A} rootflags=rw root=LABEL=ROOT`;
  assert.equal(partUUIDOf(flatcar), USR_A);
  assert.equal(partUUIDOf(`root=PARTUUID=${USR_B} mount.usr=PARTUUID=${USR_A.toUpperCase()}\n`), USR_A);
  assert.equal(partUUIDOf(`usr=PARTUUID=${USR_A} usr=PARTUUID=${USR_B}`), USR_B);
  assert.equal(partUUIDOf('root=/dev/sda1 quiet'), undefined);
  assert.equal(partUUIDOf(`xusr=PARTUUID=${USR_A} mount.usr=PARTUUID=short`), undefined);
});

/** A host whose disks are files. */
async function host(cmdline: string, disks: Record<string, Buffer>) {
  const root = await mkdtemp(join(tmpdir(), 'careen-host-'));
  for (const directory of ['proc', 'dev', 'sys/block'])
    await mkdir(join(root, directory), { recursive: true });
  await writeFile(join(root, 'proc', 'cmdline'), cmdline);
  for (const [name, bytes] of Object.entries(disks)) {
    await mkdir(join(root, 'sys', 'block', name));
    await writeFile(join(root, 'dev', name), bytes);
  }
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true }) };
}

const cmdline = `mount.usr=PARTUUID=${USR_A}`;
const ours = diskBytes(coreosDisk({ slotSectors: 8 }));
const others = [USR_B, 'deadbeef-dead-4bee-8fde-adbeefdeadbe'];
const other = diskBytes(coreosDisk({ slotSectors: 8, uuids: others }));

test('the disk is the one that holds the running slot', async () => {
  await using machine = await host(cmdline, { sda: other, vda: ours, sr0: Buffer.alloc(0) });
  assert.deepEqual(await findDisk(machine.root), { disk: join(machine.root, 'dev', 'vda'), running: USR_A });
});

test('a disk that /sys shows and /dev does not, as that of another machine on the computer, is none of ours', async () => {
  await using machine = await host(cmdline, { vda: ours });
  for (const name of ['vda', 'loop0', 'loop1']) {
    await mkdir(join(machine.root, 'sys', 'block', name), { recursive: true });
    if (name !== 'vda') await writeFile(join(machine.root, 'sys', 'block', name, 'dev'), '7:0\n');
  }
  await writeFile(join(machine.root, 'dev', 'loop0'), ours);
  assert.deepEqual(await findDisk(machine.root), { disk: join(machine.root, 'dev', 'vda'), running: USR_A });
});

const code = (wanted: string) => (error: unknown) => error instanceof SlotError && error.code === wanted;

test('no such disk, two of them, and a kernel that names none are refused', async () => {
  await using none = await host(cmdline, { sda: other });
  await assert.rejects(findDisk(none.root), code('WrongDisk'));
  await using clones = await host(cmdline, { sda: ours, sdb: ours });
  await assert.rejects(findDisk(clones.root), /both have a partition/);
  await using plain = await host('root=/dev/sda1', { sda: ours });
  await assert.rejects(runningPartUUID(plain.root), code('NoSlots'));
});
