import { crc32 } from 'node:zlib';

/**
 * What a bootloader does with a disk, written from the specification alone and sharing nothing with the
 * engine: the primary copy if its checksums hold, else the backup in the disk's last sector; then CoreOS's
 * `gptprio.next`.
 */
export interface Boot {
  slot: number;
  /** Which copy was read. */
  copy: 'primary' | 'backup';
}

/** The slot that would boot; none: the machine stops. */
export function firmwareChoice(disk: Buffer): Boot | undefined {
  const copy = isGood(disk, 1) ? 'primary' : 'backup';
  const lba = copy === 'primary' ? 1 : disk.length / 512 - 1;
  if (!isGood(disk, lba)) return undefined;
  let slot = 0;
  let highest = 0;
  for (let number = 1; number <= 128; number++) {
    const entry = entryAt(disk, lba, number);
    if (entry.toString('hex', 0, 16) !== 'f4f5fb5d4828ac4baa5e0d9a20b745a6') continue;
    const bits = entry.readBigUInt64LE(48);
    const priority = Number((bits >> 48n) & 15n);
    const may = (bits >> 52n) & 31n; // tries, or successful
    if (may > 0n && priority > highest) [slot, highest] = [number, priority];
  }
  return slot === 0 ? undefined : { slot, copy };
}

/** Boots: chooses, counts a try in both copies, and returns the slot. */
export function boot(disk: Buffer): number | undefined {
  const choice = firmwareChoice(disk);
  if (!choice) return undefined;
  const last = disk.length / 512 - 1;
  const source = choice.copy === 'primary' ? 1 : last;
  const entry = entryAt(disk, source, choice.slot);
  const tries = (entry.readUInt8(54) >> 4) & 15;
  if (tries > 0) {
    entry.writeUInt8(entry.readUInt8(54) - 16, 54);
    seal(disk, source);
    copyTo(disk, source, source === 1 ? last : 1);
  }
  return choice.slot;
}

function isGood(disk: Buffer, lba: number): boolean {
  const header = Buffer.from(disk.subarray(lba * 512, lba * 512 + 92));
  if (header.toString('latin1', 0, 8) !== 'EFI PART') return false;
  const wanted = header.readUInt32LE(16);
  header.fill(0, 16, 20);
  return (
    crc32(header) === wanted &&
    Number(header.readBigUInt64LE(24)) === lba &&
    crc32(entriesOf(disk, lba)) === header.readUInt32LE(88)
  );
}

function entriesOf(disk: Buffer, lba: number): Buffer {
  const at = Number(disk.readBigUInt64LE(lba * 512 + 72)) * 512;
  return disk.subarray(at, at + 128 * 128);
}

function entryAt(disk: Buffer, lba: number, number: number): Buffer {
  return entriesOf(disk, lba).subarray((number - 1) * 128, number * 128);
}

function seal(disk: Buffer, lba: number): void {
  const header = disk.subarray(lba * 512, lba * 512 + 92);
  header.writeUInt32LE(crc32(entriesOf(disk, lba)), 88);
  header.fill(0, 16, 20);
  header.writeUInt32LE(crc32(header), 16);
}

function copyTo(disk: Buffer, from: number, to: number): void {
  const at = to === 1 ? 2 : to - 32;
  disk.copy(disk, to * 512, from * 512, from * 512 + 512);
  entriesOf(disk, from).copy(disk, at * 512);
  disk.writeBigUInt64LE(BigInt(to), to * 512 + 24);
  disk.writeBigUInt64LE(BigInt(from), to * 512 + 32);
  disk.writeBigUInt64LE(BigInt(at), to * 512 + 72);
  seal(disk, to);
}
