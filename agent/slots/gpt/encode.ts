import { crc32 } from 'node:zlib';
import { headerCRC, type Header } from './header.ts';
import { entrySectors, PRIMARY_ENTRIES_LBA, PRIMARY_LBA } from './layout.ts';
import type { Table } from './table.ts';

/** One copy of a table as it is to lie on the disk. */
export interface EncodedCopy {
  readonly headerLBA: number;
  readonly header: Buffer;
  readonly entriesLBA: number;
  readonly entries: Buffer;
}

/**
 * Both copies of `table`. All fields of its header are kept but the places and checksums; the backup's
 * entries stay where a good backup has them, else they come right before its header.
 */
export function encodeCopies(table: Table, backup?: Header): { primary: EncodedCopy; backup: EncodedCopy } {
  const { header, entries } = table;
  const backupLBA = header.myLBA === PRIMARY_LBA ? header.alternateLBA : header.myLBA;
  const kept = backup?.entryCount === header.entryCount && backup.lastUsable === header.lastUsable;
  const entriesLBA = kept ? backup.entriesLBA : backupLBA - entrySectors(header.entryCount);
  return {
    primary: encode(header, entries, PRIMARY_LBA, backupLBA, PRIMARY_ENTRIES_LBA),
    backup: encode(header, entries, backupLBA, PRIMARY_LBA, entriesLBA),
  };
}

function encode(source: Header, entries: Buffer, at: number, other: number, entriesLBA: number): EncodedCopy {
  const header = Buffer.from(source.raw);
  header.writeBigUInt64LE(BigInt(at), 24);
  header.writeBigUInt64LE(BigInt(other), 32);
  header.writeBigUInt64LE(BigInt(entriesLBA), 72);
  header.writeUInt32LE(crc32(entries), 88);
  header.writeUInt32LE(headerCRC(header, source.size), 16);
  return { headerLBA: at, header, entriesLBA, entries };
}

/** Whether a copy found on the disk is `wanted` to the byte. */
export function sameCopy(found: Table | undefined, wanted: EncodedCopy): boolean {
  return (
    found !== undefined && found.header.raw.equals(wanted.header) && found.entries.equals(wanted.entries)
  );
}
