import { crc32 } from 'node:zlib';
import type { Medium } from './medium.ts';

/*
 * The bootloader of a simulated machine: what CoreOS's GRUB does in `gptprio.next`, on the bytes of the disk.
 * It is the referee of the agent's slot engine and shares no code with it.
 */

const SECTOR = 512;
const HEADER = 92;
const ENTRY = 128;
const ENTRIES_MIN = 16_384;
// 5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6 as it lies on disk: the first three groups are little endian.
const USR_TYPE = Buffer.from('f4f5fb5d4828ac4baa5e0d9a20b745a6', 'hex');

/** One USR partition. `index` is the number in the table, from 1; `offset` and `size` are bytes. */
export interface FirmwareSlot {
  index: number;
  name: string;
  partuuid: string;
  offset: number;
  size: number;
  priority: number;
  tries: number;
  successful: boolean;
}

export type FirmwareErrorCode = 'NoTable' | 'NoSlot';

/** The bootloader stops with a message on the console; the machine stays there until somebody comes. */
export class FirmwareError extends Error {
  readonly code: FirmwareErrorCode;

  constructor(code: FirmwareErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

interface Copy {
  header: Buffer;
  entries: Buffer;
}

/** Picks the slot to boot, takes one of its tries off and writes that to both tables. */
export function bootNext(disk: Medium): FirmwareSlot {
  const table = readTable(disk);
  const best = nextSlot(slotsOf(table.entries));
  if (best === undefined) throw new FirmwareError('NoSlot', 'gptprio.next: no such partition');
  if (best.tries === 0) return best;
  const chosen = { ...best, tries: best.tries - 1 };
  setTries(table.entries, chosen);
  writeTables(disk, table);
  return chosen;
}

/** The USR partitions of the table that the bootloader would use, in the order of the table. */
export function readSlots(disk: Medium): FirmwareSlot[] {
  return slotsOf(readTable(disk).entries);
}

/** Strictly greater priority wins, so the first of equals does; priority 0 never boots. */
export function nextSlot(slots: readonly FirmwareSlot[]): FirmwareSlot | undefined {
  let best: FirmwareSlot | undefined;
  for (const slot of slots) {
    const usable = slot.tries > 0 || slot.successful;
    if (usable && slot.priority > (best?.priority ?? 0)) best = slot;
  }
  return best;
}

function readTable(disk: Medium): Copy {
  const copy = readCopy(disk, 1) ?? readCopy(disk, disk.size / SECTOR - 1);
  if (copy === undefined) throw new FirmwareError('NoTable', 'neither GPT header nor its backup is valid');
  return copy;
}

function readCopy(disk: Medium, lba: number): Copy | undefined {
  const header = disk.read(lba * SECTOR, SECTOR);
  if (!isHeaderValid(header, lba)) return undefined;
  const bytes = header.readUInt32LE(80) * header.readUInt32LE(84);
  const first = Number(header.readBigUInt64LE(72));
  if (bytes < ENTRIES_MIN || first * SECTOR + bytes > disk.size) return undefined;
  const entries = disk.read(first * SECTOR, bytes);
  return crc32(entries) === header.readUInt32LE(88) ? { header, entries } : undefined;
}

function isHeaderValid(header: Buffer, lba: number): boolean {
  if (header.toString('latin1', 0, 8) !== 'EFI PART' || header.readUInt32LE(8) !== 0x1_0000) return false;
  if (header.readUInt32LE(12) !== HEADER || header.readUInt32LE(84) !== ENTRY) return false;
  return header.readUInt32LE(16) === headerChecksum(header) && header.readBigUInt64LE(24) === BigInt(lba);
}

function headerChecksum(header: Buffer): number {
  const zeroed = Buffer.from(header.subarray(0, HEADER));
  zeroed.writeUInt32LE(0, 16);
  return crc32(zeroed);
}

function slotsOf(entries: Buffer): FirmwareSlot[] {
  const slots: FirmwareSlot[] = [];
  for (let at = 0; at < entries.length; at += ENTRY) {
    const entry = entries.subarray(at, at + ENTRY);
    if (entry.subarray(0, 16).equals(USR_TYPE)) slots.push(slotOf(entry, at / ENTRY + 1));
  }
  return slots;
}

function slotOf(entry: Buffer, index: number): FirmwareSlot {
  const first = Number(entry.readBigUInt64LE(32));
  const last = Number(entry.readBigUInt64LE(40));
  const flags = entry.readUInt16LE(54); // attribute bits 48-63
  return {
    index,
    name: entry.toString('utf16le', 56, ENTRY).replace(/\0.*$/su, ''),
    partuuid: guidText(entry.subarray(16, 32)),
    offset: first * SECTOR,
    size: (last - first + 1) * SECTOR,
    priority: flags & 0xf,
    tries: (flags >> 4) & 0xf,
    successful: (flags & 0x100) !== 0,
  };
}

function guidText(bytes: Buffer): string {
  const hex = Buffer.from(bytes);
  hex.subarray(0, 4).swap32();
  hex.subarray(4, 8).swap16();
  return hex.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5');
}

function setTries(entries: Buffer, slot: FirmwareSlot): void {
  const at = (slot.index - 1) * ENTRY + 54;
  const others = entries.readUInt16LE(at) & ~0xf0;
  entries.writeUInt16LE(others | (slot.tries << 4), at);
}

/** GRUB writes the backup first, then the primary, and in each the header before the entries. */
function writeTables(disk: Medium, table: Copy): void {
  const lastLba = disk.size / SECTOR - 1;
  const entrySectors = Math.ceil(table.entries.length / SECTOR);
  writeCopy(disk, table, { lba: lastLba, other: 1, entriesAt: lastLba - entrySectors });
  writeCopy(disk, table, { lba: 1, other: lastLba, entriesAt: 2 });
}

function writeCopy(disk: Medium, table: Copy, at: { lba: number; other: number; entriesAt: number }): void {
  const header = Buffer.from(table.header);
  header.writeBigUInt64LE(BigInt(at.lba), 24);
  header.writeBigUInt64LE(BigInt(at.other), 32);
  header.writeBigUInt64LE(BigInt(at.entriesAt), 72);
  header.writeUInt32LE(crc32(table.entries), 88);
  header.writeUInt32LE(headerChecksum(header), 16);
  disk.write(at.lba * SECTOR, header);
  disk.write(at.entriesAt * SECTOR, table.entries);
}
