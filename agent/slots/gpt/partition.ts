import { readGuid } from './guid.ts';
import { gptInvalid } from './header.ts';
import { ENTRY_SIZE, SECTOR } from './layout.ts';

/** One used entry of the table. Priority, tries and successful are bits 48–56 of its attributes. */
export interface Partition {
  /** As in /dev/sda4: the place of the entry in the table, from 1. */
  readonly number: number;
  readonly type: string;
  readonly uuid: string;
  readonly name: string;
  readonly firstLBA: number;
  /** Inclusive. */
  readonly lastLBA: number;
  /** 0–15; 0 is never booted. */
  readonly priority: number;
  /** 0–15 boots that are left unless the slot is marked good. */
  readonly tries: number;
  readonly successful: boolean;
}

export function partitionBytes({ firstLBA, lastLBA }: Partition): number {
  return (lastLBA - firstLBA + 1) * SECTOR;
}

const UNUSED = Buffer.alloc(16);

/** The used entries of a table, in its order. */
export function parsePartitions(entries: Buffer): Partition[] {
  const partitions: Partition[] = [];
  for (let number = 1; number * ENTRY_SIZE <= entries.length; number++) {
    const entry = entries.subarray((number - 1) * ENTRY_SIZE, number * ENTRY_SIZE);
    if (!entry.subarray(0, 16).equals(UNUSED)) partitions.push(parseEntry(entry, number));
  }
  return partitions;
}

function parseEntry(entry: Buffer, number: number): Partition {
  const [first, last] = [entry.readBigUInt64LE(32), entry.readBigUInt64LE(40)];
  if (first > last || last > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw gptInvalid(`partition ${number} goes from sector ${first} to ${last}`);
  }
  const counters = entry.readUInt8(54);
  return {
    number,
    type: readGuid(entry, 0),
    uuid: readGuid(entry, 16),
    name: entry.toString('utf16le', 56, 128).replace(/\0.*$/s, ''),
    firstLBA: Number(first),
    lastLBA: Number(last),
    priority: counters & 15,
    tries: counters >> 4,
    successful: (entry.readUInt8(55) & 1) === 1,
  };
}

/** Partitions lie inside the usable area, do not overlap, and no two have the same GUID; else `GptInvalid`. */
export function checkPartitions(partitions: readonly Partition[], first: number, last: number): void {
  const uuids = new Set<string>();
  let end = first - 1;
  for (const partition of partitions.toSorted((a, b) => a.firstLBA - b.firstLBA)) {
    if (partition.firstLBA <= end)
      throw gptInvalid(`partition ${partition.number} overlaps what is before it`);
    if (uuids.has(partition.uuid)) throw gptInvalid(`two partitions have the GUID ${partition.uuid}`);
    uuids.add(partition.uuid);
    end = partition.lastLBA;
  }
  if (end > last) throw gptInvalid('a partition goes beyond the usable area');
}
