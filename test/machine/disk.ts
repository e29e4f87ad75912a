import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/*
 * Disk images in the layout of CoreOS Container Linux and Flatcar (their `disk_layout.json`): the same entry
 * numbers, types, names and constant PARTUUIDs of the USR slots, smaller.
 */

const SECTOR = 512;
const ALIGN = 4096;
const ENTRIES = 128;
const ENTRY = 128;
const MIB = 1024 * 1024;

const USR_TYPE = '5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6';
const LINUX_TYPE = '0fc63daf-8483-4772-8e79-3d69d8477de4';
export const USR_A = '7130c94a-213a-4e5a-8e26-6cce9662f132';
export const USR_B = 'e03dd35c-7c2d-4a47-b3fe-27f15780a57c';

/** One used entry of the table. `index` counts from 1; `offset` and `size` are bytes. */
export interface Partition {
  index: number;
  name: string;
  type: string;
  partuuid: string;
  offset: number;
  size: number;
}

export interface DiskOptions {
  /** Size of each USR slot in MiB; 64 unless told. */
  usrMiB?: number | undefined;
  /** Size of ROOT in MiB; 4 unless told. */
  rootMiB?: number | undefined;
  /** Image that USR-A starts with; the slot is then marked as one that has booted well. */
  osImage?: string | undefined;
}

/** Creates a sparse image at `path` and returns its partitions. Throws when the OS image is larger than a slot. */
export function createDisk(path: string, options: DiskOptions = {}): Partition[] {
  const partitions = layout(options.usrMiB ?? 64, options.rootMiB);
  const end = partitions.at(-1)!;
  const size = end.offset + end.size + MIB; // room for the backup table
  const fd = openSync(path, 'wx+');
  try {
    ftruncateSync(fd, size);
    writeSync(fd, protectiveMbr(size), 0, SECTOR, 0);
    const attributes = options.osImage === undefined ? 0 : slotBits(1, 0, true);
    writeTables(fd, size, encodeEntries(partitions, attributes));
    if (options.osImage !== undefined) copyImage(options.osImage, fd, partitions[2]!);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  return partitions;
}

/** The partitions of a disk; entries 5 (ROOT-C) and 8 are empty, as in the original. */
export function layout(usrMiB: number, rootMiB = 4): Partition[] {
  const wanted: [number, string, string, number, string?][] = [
    [1, 'EFI-SYSTEM', 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b', 2],
    [2, 'BIOS-BOOT', '21686148-6449-6e6f-744e-656564454649', 2],
    [3, 'USR-A', USR_TYPE, usrMiB, USR_A],
    [4, 'USR-B', USR_TYPE, usrMiB, USR_B],
    [6, 'OEM', LINUX_TYPE, 2],
    [7, 'OEM-CONFIG', 'c95dc21a-df0e-4340-8d7b-26cbfa9a03e0', 2],
    [9, 'ROOT', '3884dd41-8582-4404-b9a8-e9b84f2df50e', rootMiB],
  ];
  let offset = ALIGN * SECTOR;
  return wanted.map(([index, name, type, mib, partuuid = randomUUID()]) => {
    const partition = { index, name, type, partuuid, offset, size: mib * MIB };
    offset += Math.ceil((mib * MIB) / (ALIGN * SECTOR)) * ALIGN * SECTOR;
    return partition;
  });
}

/** Attribute bits of a USR entry: 48-51 priority, 52-55 tries, 56 successful; as the upper 16 bits. */
export function slotBits(priority: number, tries: number, successful: boolean): number {
  return priority | (tries << 4) | (successful ? 0x100 : 0);
}

function protectiveMbr(size: number): Buffer {
  const mbr = Buffer.alloc(SECTOR);
  mbr.set([0x00, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff], 446); // CHS fields as UEFI 2.10 §5.2.3 wants them
  mbr.writeUInt32LE(1, 454);
  mbr.writeUInt32LE(Math.min(size / SECTOR - 1, 0xffff_ffff), 458);
  mbr.writeUInt16LE(0xaa55, 510);
  return mbr;
}

function encodeEntries(partitions: readonly Partition[], usrABits: number): Buffer {
  const table = Buffer.alloc(ENTRIES * ENTRY);
  for (const partition of partitions) {
    const entry = table.subarray((partition.index - 1) * ENTRY, partition.index * ENTRY);
    guidBytes(partition.type).copy(entry, 0);
    guidBytes(partition.partuuid).copy(entry, 16);
    entry.writeBigUInt64LE(BigInt(partition.offset / SECTOR), 32);
    entry.writeBigUInt64LE(BigInt((partition.offset + partition.size) / SECTOR - 1), 40);
    if (partition.name === 'USR-A') entry.writeUInt16LE(usrABits, 54);
    entry.write(partition.name, 56, 'utf16le');
  }
  return table;
}

/** GUIDs lie mixed-endian on disk: the first three groups are byte-swapped (UEFI 2.10 appendix A). */
function guidBytes(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  bytes.subarray(0, 4).swap32();
  bytes.subarray(4, 8).swap16();
  return bytes;
}

function writeTables(fd: number, size: number, entries: Buffer): void {
  const last = size / SECTOR - 1;
  const entrySectors = entries.length / SECTOR;
  const disk = guidBytes(randomUUID());
  const usable = { first: 2 + entrySectors, last: last - entrySectors - 1 };
  for (const at of [
    { lba: last, other: 1, entriesAt: last - entrySectors },
    { lba: 1, other: last, entriesAt: 2 },
  ]) {
    writeSync(fd, entries, 0, entries.length, at.entriesAt * SECTOR);
    writeSync(fd, header(at, usable, disk, entries), 0, SECTOR, at.lba * SECTOR);
  }
}

/** UEFI 2.10 §5.3.2, table 5.5. */
function header(
  at: { lba: number; other: number; entriesAt: number },
  usable: { first: number; last: number },
  disk: Buffer,
  entries: Buffer,
): Buffer {
  const sector = Buffer.alloc(SECTOR);
  sector.write('EFI PART', 0, 'latin1');
  sector.writeUInt32LE(0x1_0000, 8);
  sector.writeUInt32LE(92, 12);
  sector.writeBigUInt64LE(BigInt(at.lba), 24);
  sector.writeBigUInt64LE(BigInt(at.other), 32);
  sector.writeBigUInt64LE(BigInt(usable.first), 40);
  sector.writeBigUInt64LE(BigInt(usable.last), 48);
  disk.copy(sector, 56);
  sector.writeBigUInt64LE(BigInt(at.entriesAt), 72);
  sector.writeUInt32LE(ENTRIES, 80);
  sector.writeUInt32LE(ENTRY, 84);
  sector.writeUInt32LE(crc32(entries), 88);
  sector.writeUInt32LE(crc32(sector.subarray(0, 92)), 16);
  return sector;
}

/** Copies an image into a partition and leaves out the blocks of zeros, so that the disk stays sparse. */
function copyImage(image: string, disk: number, slot: Partition): void {
  const source = openSync(image, 'r');
  const block = Buffer.alloc(256 * 1024);
  const zeros = Buffer.alloc(block.length);
  try {
    let at = 0;
    for (let read = readSync(source, block); read > 0; read = readSync(source, block)) {
      if (at + read > slot.size)
        throw new RangeError(`${image} does not fit into ${slot.name}: raise usrMiB`);
      const data = block.subarray(0, read);
      if (!data.equals(zeros.subarray(0, read))) writeSync(disk, data, 0, read, slot.offset + at);
      at += read;
    }
  } finally {
    closeSync(source);
  }
}
