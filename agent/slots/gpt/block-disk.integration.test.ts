import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { SlotError, type SlotErrorCode } from '../slot-error.ts';
import { coreosDisk, diskBytes, reseal, USR_A } from '../testing/coreos-disk.ts';
import { firmwareChoice } from '../testing/firmware.ts';
import { deviceNumber } from './device-node.ts';
import { openGptEngine } from './gpt-engine.ts';

/** Real block devices: loop devices with partitions, as /dev/sda has them. Needs root. */
function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function missing(): string | undefined {
  if (process.getuid?.() !== 0) return 'loop devices need root';
  if (spawnSync('losetup', ['--find']).status !== 0) return 'there is no free loop device';
  if (spawnSync('partx', ['--version']).status !== 0) return 'partx (util-linux) is not installed';
  return undefined;
}

const skip = missing();
if (skip) console.log(`block devices are not tested: ${skip}`);
const options = skip ? { skip } : {};
const spec = coreosDisk({ slotSectors: 16384 });
const slotB = (spec.entries.find(({ number }) => number === 4)?.first ?? 0) * 512;

class LoopDisk {
  readonly directory = mkdtempSync(join(tmpdir(), 'careen-loop-'));
  readonly image = join(this.directory, 'disk.img');
  readonly mountpoint = join(this.directory, 'mnt');
  readonly device: string;

  constructor(...flags: string[]) {
    writeFileSync(this.image, diskBytes(spec));
    mkdirSync(this.mountpoint);
    this.device = run('losetup', '--find', '--show', ...flags, this.image).trim();
    try {
      spawnSync('partx', ['--delete', this.device]); // of a test that was killed: they outlive the detaching
      run('partx', '--add', this.device);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  mount(number: number): void {
    run('mke2fs', '-q', '-F', `${this.device}p${number}`);
    run('mount', `${this.device}p${number}`, this.mountpoint);
  }

  engine(options: { sysfs?: string; proc?: string } = {}) {
    return openGptEngine({ disk: this.device, running: USR_A, ...options });
  }

  [Symbol.dispose](): void {
    spawnSync('umount', [this.mountpoint]);
    spawnSync('partx', ['--delete', this.device]);
    spawnSync('losetup', ['--detach', this.device]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function code(wanted: SlotErrorCode) {
  return (error: unknown) => {
    assert.ok(error instanceof SlotError, String(error));
    assert.equal(error.code, wanted, error.message);
    return true;
  };
}

test(
  'a slot is written through its partition and armed while the running one is mounted',
  options,
  async () => {
    using disk = new LoopDisk();
    disk.mount(3);
    const engine = await disk.engine();
    const target = await engine.open();
    assert.equal(target.medium.size, 16384 * 512);
    await target.clear();
    const bytes = randomBytes(1024 * 1024);
    await target.medium.write(4096, bytes);
    await target.medium.sync();
    assert.ok((await target.medium.readBack(4096, bytes.length)).equals(bytes));
    await target.close();
    await engine.arm(2);
    const image = readFileSync(disk.image);
    assert.ok(image.subarray(slotB + 4096, slotB + 4096 + bytes.length).equals(bytes));
    assert.deepEqual(firmwareChoice(image), { slot: 4, copy: 'primary' });
  },
);

test('sgdisk finds no fault in a table that was changed', options, async () => {
  if (spawnSync('sgdisk', ['--version']).status !== 0)
    return console.log('not compared: sgdisk is not installed');
  using disk = new LoopDisk();
  const engine = await disk.engine();
  await engine.clear();
  await engine.arm(5);
  assert.match(run('sgdisk', '--verify', disk.image), /No problems found/);
  assert.match(run('sgdisk', '--attributes=4:show', disk.image), /4:49:1[^]*4:52:1[^]*4:54:1/);
});

test('a mounted target is refused, by its mount and by the kernel alone', options, async () => {
  using disk = new LoopDisk();
  disk.mount(4);
  await assert.rejects((await disk.engine()).open(), code('SlotBusy'));
  const blind = await disk.engine({ proc: disk.directory });
  await assert.rejects(
    blind.open(),
    (error: unknown) => code('SlotBusy')(error) && /EBUSY/.test(String(error)),
  );
});

test('while a slot is open, nobody can mount it', options, async () => {
  using disk = new LoopDisk();
  run('mke2fs', '-q', '-F', `${disk.device}p4`);
  const target = await (await disk.engine()).open();
  assert.notEqual(spawnSync('mount', [`${disk.device}p4`, disk.mountpoint]).status, 0);
  await target.close();
  run('mount', `${disk.device}p4`, disk.mountpoint);
});

test('a read-only disk is refused before anything is written', options, async () => {
  using disk = new LoopDisk('--read-only');
  const engine = await disk.engine();
  await assert.rejects(engine.clear(), code('ReadOnlyDevice'));
  await assert.rejects(engine.open(), code('ReadOnlyDevice'));
  assert.equal((await engine.status()).next, 'USR-A');
});

test('a partition that the kernel has elsewhere than the table is not written to', options, async () => {
  using disk = new LoopDisk();
  const bytes = readFileSync(disk.image);
  for (const [lba, entries] of [
    [1, 2],
    [bytes.length / 512 - 1, bytes.length / 512 - 33],
  ] as const) {
    const first = entries * 512 + 3 * 128 + 32;
    bytes.writeBigUInt64LE(bytes.readBigUInt64LE(first) + 8n, first);
    reseal(bytes, lba);
  }
  writeFileSync(disk.device, bytes);
  await assert.rejects((await disk.engine()).open(), code('WrongDisk'));
});

test('a partition that the kernel does not know is not written to', options, async () => {
  using disk = new LoopDisk();
  const engine = await disk.engine();
  run('partx', '--delete', '--nr', '4', disk.device);
  await assert.rejects(engine.open(), code('WrongDisk'));
});

test(
  'a node is known by its device number: another device under its name is not written to',
  options,
  async () => {
    using disk = new LoopDisk();
    const [name, dev] = [basename(disk.device), join(disk.directory, 'dev')];
    mkdirSync(dev);
    const node = (as: string, device: string) =>
      run('mknod', join(dev, as), 'b', ...deviceNumber(statSync(device).rdev).split(':'));
    node(name, disk.device);
    node(`${name}p4`, `${disk.device}p9`);
    const engine = () => openGptEngine({ disk: join(dev, name), running: USR_A });
    await assert.rejects((await engine()).open(), code('WrongDisk'));
    node('usr-b', `${disk.device}p4`);
    const target = await (await engine()).open();
    await target.medium.write(0, Buffer.from('for B alone'));
    await target.medium.sync();
    await target.close();
    assert.equal(readFileSync(disk.image).toString('latin1', slotB, slotB + 11), 'for B alone');
  },
);

test('a disk with sectors of 4096 bytes is refused', options, async (context) => {
  using disk = new LoopDisk();
  if (spawnSync('losetup', ['--sector-size', '4096', disk.device]).status !== 0) {
    return context.skip('the kernel cannot change the sector size of a loop device');
  }
  await assert.rejects(disk.engine(), code('GptInvalid'));
});
