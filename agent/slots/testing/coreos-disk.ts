import { crc32 } from 'node:zlib';
import { guidBytes } from '../gpt/guid.ts';

/** What the table of a made-up disk holds; sizes in sectors of 512 bytes. */
export interface EntrySpec {
  number: number;
  type: string;
  uuid: string;
  name: string;
  first: number;
  last: number;
  attributes: bigint;
}

export interface DiskSpec {
  sectors: number;
  diskGUID: string;
  entries: EntrySpec[];
  count?: number;
}

export const DISK_GUID = '00112233-4455-6677-8899-aabbccddeeff';
export const USR_A = '7130c94a-213a-4e5a-8e26-6cce9662f132';
export const USR_B = 'e03dd35c-7c2d-4a47-b3fe-27f15780a57c';
const USR = '5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6';
const ESP = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
const DATA = '0fc63daf-8483-4772-8e79-3d69d8477de4';
const ROOT = '3884dd41-8582-4404-b9a8-e9b84f2df50e';

/** Attribute bits of a slot's marks. */
export function marks(priority: number, tries: number, successful: boolean): bigint {
  return (BigInt(priority) << 48n) | (BigInt(tries) << 52n) | (BigInt(successful) << 56n);
}

/** CoreOS's layout in small: entries 5 and 8 are empty, as on a real disk. */
export function coreosDisk({
  a = marks(2, 0, true),
  b = marks(1, 0, true),
  slotSectors = 2048,
  uuids = [USR_A, USR_B],
} = {}): DiskSpec {
  const sizes: [number, string, string, string, number, bigint][] = [
    [1, ESP, 'aaaaaaaa-0000-4000-8000-000000000001', 'EFI-SYSTEM', 64, 4n],
    [3, USR, uuids[0] ?? USR_A, 'USR-A', slotSectors, a],
    [4, USR, uuids[1] ?? USR_B, 'USR-B', slotSectors, b],
    [6, DATA, 'aaaaaaaa-0000-4000-8000-000000000006', 'OEM', 64, 0n],
    [9, ROOT, 'aaaaaaaa-0000-4000-8000-000000000009', 'ROOT', 256, 0n],
  ];
  let next = 64;
  const entries = sizes.map(([number, type, uuid, name, length, attributes]) => {
    const first = next;
    next += Math.ceil(length / 8) * 8;
    return { number, type, uuid, name, first, last: first + length - 1, attributes };
  });
  return { sectors: next + 64, diskGUID: DISK_GUID, entries };
}

/** The bytes of a disk, with boot code in its MBR so that a lost one is noticed. */
export function diskBytes(spec: DiskSpec): Buffer {
  const { sectors, count = 128 } = spec;
  const disk = Buffer.alloc(sectors * 512);
  disk.fill('boot code ', 0, 440);
  disk.writeUInt8(0xee, 450);
  disk.writeUInt16LE(0xaa55, 510);
  const entries = Buffer.alloc(count * 128);
  for (const entry of spec.entries) writeEntry(entries, entry);
  const length = Math.ceil(entries.length / 512);
  const places = { first: 2 + Math.max(length, 6), last: sectors - length - 2 };
  entries.copy(disk, 1024);
  entries.copy(disk, (sectors - 1 - length) * 512);
  writeHeader(disk, spec, entries, places, [1, sectors - 1, 2]);
  writeHeader(disk, spec, entries, places, [sectors - 1, 1, sectors - 1 - length]);
  return disk;
}

function writeEntry(entries: Buffer, { number, type, uuid, name, first, last, attributes }: EntrySpec) {
  const entry = entries.subarray((number - 1) * 128, number * 128);
  guidBytes(type).copy(entry, 0);
  guidBytes(uuid).copy(entry, 16);
  entry.writeBigUInt64LE(BigInt(first), 32);
  entry.writeBigUInt64LE(BigInt(last), 40);
  entry.writeBigUInt64LE(attributes, 48);
  entry.write(name, 56, 'utf16le');
}

function writeHeader(
  disk: Buffer,
  { diskGUID }: DiskSpec,
  entries: Buffer,
  { first, last }: { first: number; last: number },
  [mine, other, at]: [number, number, number],
) {
  const header = disk.subarray(mine * 512, mine * 512 + 92);
  header.write('EFI PART');
  header.writeUInt32LE(0x00010000, 8);
  header.writeUInt32LE(92, 12);
  header.writeBigUInt64LE(BigInt(mine), 24);
  header.writeBigUInt64LE(BigInt(other), 32);
  header.writeBigUInt64LE(BigInt(first), 40);
  header.writeBigUInt64LE(BigInt(last), 48);
  guidBytes(diskGUID).copy(header, 56);
  header.writeBigUInt64LE(BigInt(at), 72);
  header.writeUInt32LE(entries.length / 128, 80);
  header.writeUInt32LE(128, 84);
  header.writeUInt32LE(crc32(entries), 88);
  header.writeUInt32LE(crc32(header), 16);
}

/** Recomputes the checksums of one copy after a test has changed it on purpose. */
export function reseal(disk: Buffer, lba: number): void {
  const header = disk.subarray(lba * 512, lba * 512 + 92);
  const at = Number(header.readBigUInt64LE(72)) * 512;
  header.writeUInt32LE(crc32(disk.subarray(at, at + header.readUInt32LE(80) * 128)), 88);
  header.writeUInt32LE(0, 16);
  header.writeUInt32LE(crc32(header), 16);
}
