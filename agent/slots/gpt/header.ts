import { crc32 } from 'node:zlib';
import { SlotError } from '../slot-error.ts';
import { readGuid } from './guid.ts';
import {
  BLOCK,
  ENTRY_SIZE,
  entrySectors,
  MAX_ENTRIES_BYTES,
  PRIMARY_ENTRIES_LBA,
  PRIMARY_LBA,
  SECTOR,
} from './layout.ts';

/** Header of one copy of the table (UEFI 2.10, table 5.5), checked. LBAs count sectors of 512 bytes. */
export interface Header {
  /** The sector as it lies on the disk; fields that careen does not know stay as they are. */
  readonly raw: Buffer;
  readonly size: number;
  readonly myLBA: number;
  readonly alternateLBA: number;
  readonly firstUsable: number;
  readonly lastUsable: number;
  readonly diskGUID: string;
  readonly entriesLBA: number;
  readonly entryCount: number;
  readonly entriesCRC: number;
}

export function gptInvalid(problem: string): SlotError {
  return new SlotError('GptInvalid', `the partition table is not usable: ${problem}`);
}

function check(holds: boolean, problem: string): void {
  if (!holds) throw gptInvalid(problem);
}

function lba(sector: Buffer, offset: number): number {
  const value = sector.readBigUInt64LE(offset);
  check(value <= BigInt(Number.MAX_SAFE_INTEGER), `an address in its header is beyond any disk (${value})`);
  return Number(value);
}

/** CRC-32 of the header with its own CRC field taken as zero. */
export function headerCRC(sector: Buffer, size: number): number {
  const copy = Buffer.from(sector.subarray(0, size));
  copy.writeUInt32LE(0, 16);
  return crc32(copy);
}

/** The header found in the sector `at` of a disk of `sectors`; throws `GptInvalid` with what is wrong. */
export function parseHeader(sector: Buffer, at: number, sectors: number): Header {
  check(sector.toString('latin1', 0, 8) === 'EFI PART', `no header in sector ${at}`);
  check(sector.readUInt32LE(8) === 0x00010000, 'its revision is not 1.0');
  const size = sector.readUInt32LE(12);
  check(size >= 92 && size <= SECTOR, `its header says it is ${size} bytes long`);
  check(sector.readUInt32LE(16) === headerCRC(sector, size), `the header in sector ${at} is damaged (CRC)`);
  const header = {
    raw: Buffer.from(sector),
    size,
    myLBA: lba(sector, 24),
    alternateLBA: lba(sector, 32),
    firstUsable: lba(sector, 40),
    lastUsable: lba(sector, 48),
    diskGUID: readGuid(sector, 56),
    entriesLBA: lba(sector, 72),
    entryCount: sector.readUInt32LE(80),
    entriesCRC: sector.readUInt32LE(88),
  };
  check(header.myLBA === at, `the header in sector ${at} says it belongs into sector ${header.myLBA}`);
  check(sector.readUInt32LE(84) === ENTRY_SIZE, 'its entries are not 128 bytes long');
  check(
    header.entryCount >= 1 && header.entryCount * ENTRY_SIZE <= MAX_ENTRIES_BYTES,
    `it claims ${header.entryCount} entries`,
  );
  checkPlaces(header, sectors);
  return header;
}

/** Nothing lies outside the disk, and headers, entries and partitions do not share sectors. */
function checkPlaces(header: Header, sectors: number): void {
  const { myLBA, alternateLBA, firstUsable, lastUsable, entriesLBA, entryCount } = header;
  const length = entrySectors(entryCount);
  check(firstUsable <= lastUsable, 'its usable area is empty');
  check(firstUsable >= PRIMARY_ENTRIES_LBA + length, 'its usable area begins inside the primary copy');
  check(
    firstUsable * SECTOR >= BLOCK,
    'its usable area begins inside the first 4 KiB, which are written as one',
  );
  const backupLBA = myLBA === PRIMARY_LBA ? alternateLBA : myLBA;
  check(backupLBA < sectors, 'it describes a larger disk; the disk was truncated or is not all there');
  check(lastUsable + length < backupLBA, 'its usable area leaves no room for the backup copy');
  if (myLBA === PRIMARY_LBA) {
    check(entriesLBA === PRIMARY_ENTRIES_LBA, `its entries begin at sector ${entriesLBA}, not at 2`);
  } else {
    check(alternateLBA === PRIMARY_LBA, 'its backup copy does not point to the primary one');
    check(entriesLBA > lastUsable && entriesLBA + length <= myLBA, 'the backup entries are misplaced');
  }
}
