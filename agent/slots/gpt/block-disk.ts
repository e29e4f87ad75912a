import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openMedium } from '../file-medium.ts';
import type { OnCached } from '../file-medium.ts';
import type { OpenMedium } from '../medium.ts';
import { SlotError, slotErrorOf } from '../slot-error.ts';
import { deviceNode, deviceNumber } from './device-node.ts';
import type { Disk } from './disk.ts';
import { mountedDevices } from './mounts.ts';
import { SECTOR } from './layout.ts';
import { partitionBytes, type Partition } from './partition.ts';

interface Where {
  sysfs: string;
  proc: string;
  onCached: OnCached | undefined;
}

/** A block device, whose partitions are nodes of their own beside it (/dev/sda4, /dev/nvme0n1p4). */
export class BlockDisk implements Disk {
  readonly path: string;
  readonly #directory: string;
  readonly #proc: string;

  readonly #onCached: OnCached | undefined;

  constructor(path: string, rdev: number, { sysfs, proc, onCached }: Where) {
    this.path = path;
    this.#directory = join(sysfs, 'dev', 'block', deviceNumber(rdev));
    this.#proc = proc;
    this.#onCached = onCached;
  }

  async open(writable: boolean): Promise<OpenMedium> {
    const block = await this.#attribute('queue/logical_block_size');
    if (block !== '512')
      throw new SlotError('GptInvalid', `${this.path} has sectors of ${block} bytes, not 512`);
    if (writable && (await this.#attribute('ro')) === '1') throw readOnly(this.path);
    return openMedium(this.path, { writable, onCached: this.#onCached });
  }

  /** The kernel's idea of the partition must be the table's, or the bytes would go elsewhere. */
  async openPartition(partition: Partition): Promise<OpenMedium> {
    const name = await this.#nodeOf(partition.number);
    const path = await this.#pathOf(name);
    const [start, size] = [await this.#attribute(`${name}/start`), await this.#attribute(`${name}/size`)];
    const bytes = partitionBytes(partition);
    if (Number(start) !== partition.firstLBA || Number(size) * SECTOR !== bytes) {
      throw new SlotError(
        'WrongDisk',
        `the kernel has ${path} elsewhere than the table; have it read again (partx -u)`,
      );
    }
    if ((await this.#attribute(`${name}/ro`)) === '1') throw readOnly(path);
    await this.#checkUnused(name, path);
    const extent = { offset: 0, size: bytes };
    return openMedium(path, { writable: true, exclusive: true, extent, onCached: this.#onCached });
  }

  /** Another device under the partition's name would take bytes that are not meant for it. */
  async #pathOf(name: string): Promise<string> {
    const usual = join(dirname(this.path), name);
    const path = await deviceNode(usual, await this.#attribute(`${name}/dev`));
    if (path !== undefined) return path;
    throw new SlotError('WrongDisk', `${usual} is missing or another device; have udev make it again`);
  }

  /** O_EXCL alone would do; this finds the same earlier, by name, and what a container's kernel may hide. */
  async #checkUnused(name: string, path: string): Promise<void> {
    const holders = await readdir(join(this.#directory, name, 'holders')).catch(() => []);
    if (holders.length > 0)
      throw new SlotError('SlotBusy', `${path} is in use by ${holders.join(', ')}; release it`);
    if ((await mountedDevices(this.#proc)).has(await this.#attribute(`${name}/dev`))) {
      throw new SlotError('SlotBusy', `${path} is mounted; unmount it`);
    }
  }

  /** Name of the node of partition `number`: the directory below the disk's in sysfs that says so. */
  async #nodeOf(number: number): Promise<string> {
    const names = await readdir(this.#directory).catch((error: unknown) => {
      throw slotErrorOf(error, `reading ${this.#directory}`);
    });
    for (const name of names) {
      const found = await readFile(join(this.#directory, name, 'partition'), 'utf8').catch(() => undefined);
      if (Number(found) === number) return name;
    }
    throw new SlotError(
      'WrongDisk',
      `the kernel knows no partition ${number} of ${this.path}; have it read (partx -a)`,
    );
  }

  async #attribute(name: string): Promise<string> {
    const path = join(this.#directory, name);
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      throw slotErrorOf(error, `reading ${path}`);
    });
    return text.trim();
  }
}

function readOnly(path: string): SlotError {
  return new SlotError('ReadOnlyDevice', `${path} is read-only; make it writable (blockdev --setrw)`);
}
