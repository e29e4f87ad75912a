import { realpath, stat } from 'node:fs/promises';
import { openMedium } from '../file-medium.ts';
import type { OnCached } from '../file-medium.ts';
import type { OpenMedium } from '../medium.ts';
import { slotErrorOf } from '../slot-error.ts';
import { BlockDisk } from './block-disk.ts';
import { SECTOR } from './layout.ts';
import { partitionBytes, type Partition } from './partition.ts';

/** A disk with a partition table: a block device, an image file, or a test's. Throws `SlotError`. */
export interface Disk {
  readonly path: string;
  open(writable: boolean): Promise<OpenMedium>;
  /** Opens one partition for writing; refuses one that is mounted or otherwise in use (`SlotBusy`). */
  openPartition(partition: Partition): Promise<OpenMedium>;
}

export interface DiskOptions {
  /** Where /sys is mounted, and /proc. */
  sysfs?: string | undefined;
  proc?: string | undefined;
  onCached?: OnCached | undefined;
}

/** The disk at `path`. */
export async function findDiskAt(path: string, where: DiskOptions = {}): Promise<Disk> {
  const { sysfs = '/sys', proc = '/proc', onCached } = where;
  try {
    // A link such as /dev/disk/by-id/… has no partition nodes beside it.
    const real = await realpath(path);
    const stats = await stat(real);
    return stats.isBlockDevice()
      ? new BlockDisk(real, stats.rdev, { sysfs, proc, onCached })
      : new ImageDisk(real, onCached);
  } catch (error) {
    throw slotErrorOf(error, `looking at ${path}`);
  }
}

class ImageDisk implements Disk {
  readonly path: string;

  readonly #onCached: OnCached | undefined;

  constructor(path: string, onCached: OnCached | undefined) {
    this.path = path;
    this.#onCached = onCached;
  }

  open(writable: boolean): Promise<OpenMedium> {
    return openMedium(this.path, { writable, onCached: this.#onCached });
  }

  openPartition(partition: Partition): Promise<OpenMedium> {
    const extent = { offset: partition.firstLBA * SECTOR, size: partitionBytes(partition) };
    return openMedium(this.path, { writable: true, extent, onCached: this.#onCached });
  }
}
