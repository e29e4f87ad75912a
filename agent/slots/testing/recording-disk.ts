import { newSeed, seedOf } from '#scripts/test/seed.ts';
import { seededRandom } from '#test/seeded-random.ts';
import type { Disk } from '../gpt/disk.ts';
import type { Partition } from '../gpt/partition.ts';
import type { OpenMedium } from '../medium.ts';
import { slotErrorOf } from '../slot-error.ts';

interface Write {
  offset: number;
  bytes: Buffer;
}

/** What a fault does to an operation: returns to let it pass, throws to make it fail. */
export type Fault = (operation: 'read' | 'write' | 'sync', offset: number) => void;

/**
 * A disk in memory that remembers what a power cut would lose: everything written since the last sync, in
 * any combination of its sectors.
 */
export class RecordingDisk implements Disk {
  readonly path = 'a disk in memory';
  /** What reads see. */
  bytes: Buffer;
  /** What is safe. */
  durable: Buffer;
  /** Writes that are not safe yet. */
  pending: Write[] = [];
  /** Writes and syncs so far. */
  operations = 0;
  fault: Fault = () => {};

  constructor(bytes: Buffer) {
    this.bytes = Buffer.from(bytes);
    this.durable = Buffer.from(bytes);
  }

  async open(): Promise<OpenMedium> {
    return this.#view(0, this.bytes.length);
  }

  async openPartition({ firstLBA, lastLBA }: Partition): Promise<OpenMedium> {
    return this.#view(firstLBA * 512, (lastLBA - firstLBA + 1) * 512);
  }

  /** Sectors that differ from what is safe. */
  get changed(): number[] {
    const sectors = new Set<number>();
    for (const { offset, bytes } of this.pending) {
      for (let at = Math.floor(offset / 512); at * 512 < offset + bytes.length; at++) sectors.add(at);
    }
    return [...sectors].filter((at) => !this.#same(at)).toSorted((a, b) => a - b);
  }

  /** The disk after a power cut that saved just these of the changed sectors. */
  after(saved: readonly number[]): Buffer {
    const disk = Buffer.from(this.durable);
    for (const at of saved) this.bytes.copy(disk, at * 512, at * 512, at * 512 + 512);
    return disk;
  }

  #same(at: number): boolean {
    return this.bytes
      .subarray(at * 512, at * 512 + 512)
      .equals(this.durable.subarray(at * 512, at * 512 + 512));
  }

  #view(start: number, size: number): OpenMedium {
    const attempt = (operation: 'read' | 'write' | 'sync', offset: number) => {
      try {
        this.fault(operation, offset);
      } catch (error) {
        throw slotErrorOf(error, `${operation} at ${offset}`);
      }
    };
    const read = async (offset: number, length: number) => {
      attempt('read', start + offset);
      return Buffer.from(this.bytes.subarray(start + offset, start + offset + length));
    };
    return {
      size,
      read,
      readBack: read,
      write: async (offset, bytes) => {
        attempt('write', start + offset);
        if (offset + bytes.length > size) throw new RangeError('written past the end');
        this.operations++;
        this.pending.push({ offset: start + offset, bytes: Buffer.from(bytes) });
        this.bytes.set(bytes, start + offset);
      },
      sync: async () => {
        attempt('sync', 0);
        this.operations++;
        for (const { offset, bytes } of this.pending) this.durable.set(bytes, offset);
        this.pending = [];
      },
      close: async () => {},
    };
  }
}

const random = seededRandom(seedOf(process.env) ?? newSeed());

/** All subsets of a few sectors; of many, none, all, and some at random. */
export function subsets(sectors: readonly number[]): number[][] {
  const count = sectors.length <= 8 ? 2 ** sectors.length : 64;
  return Array.from({ length: count }, (_, pattern) => {
    if (sectors.length <= 8) return sectors.filter((_, bit) => (pattern >> bit) & 1);
    return sectors.filter(() => random() * (count - 1) < pattern);
  });
}
