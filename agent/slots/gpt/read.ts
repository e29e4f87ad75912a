import type { Medium } from '../medium.ts';
import { gptInvalid, parseHeader, type Header } from './header.ts';
import { BLOCK, ENTRY_SIZE, PRIMARY_LBA, SECTOR } from './layout.ts';
import { SlotError } from '../slot-error.ts';
import { parseTable, type Table } from './table.ts';

/** What was found of the two copies of the table. */
export interface TableOnDisk {
  /** The table that counts: the primary copy's, or the backup's when the primary is bad. */
  readonly table: Table;
  readonly primary: Table | undefined;
  readonly backup: Table | undefined;
  /** Why a copy is bad. */
  readonly problems: readonly string[];
}

type ReadAt = (offset: number, length: number) => Promise<Buffer>;

/**
 * Reads both copies; throws `GptInvalid` if neither is good, `IoError` if the disk cannot be read.
 * `fromMedium` reads past the page cache.
 */
export async function readTable(medium: Medium, { fromMedium = false } = {}): Promise<TableOnDisk> {
  if (medium.size < 2 * BLOCK) throw gptInvalid('the disk is too small to have one');
  const read: ReadAt = (offset, length) =>
    fromMedium ? medium.readBack(offset, length) : medium.read(offset, length);
  const sectors = Math.floor(medium.size / SECTOR);
  const problems: string[] = [];
  const primary = await readCopy(read, PRIMARY_LBA, sectors, problems);
  const backup = await readCopy(read, primary.header?.alternateLBA ?? sectors - 1, sectors, problems);
  const table = primary.table ?? backup.table;
  if (!table) throw gptInvalid(`both copies are bad (${problems.join('; ')})`);
  return { table, primary: primary.table, backup: backup.table, problems };
}

interface Copy {
  header?: Header;
  table?: Table;
}

/** One copy, as far as it is good; a good header over bad entries still tells where the other copy is. */
async function readCopy(read: ReadAt, lba: number, sectors: number, problems: string[]): Promise<Copy> {
  const copy: Copy = {};
  try {
    copy.header = parseHeader(await read(lba * SECTOR, SECTOR), lba, sectors);
    const { entriesLBA, entryCount } = copy.header;
    copy.table = parseTable(copy.header, await read(entriesLBA * SECTOR, entryCount * ENTRY_SIZE));
  } catch (error) {
    if (!(error instanceof SlotError && error.code === 'GptInvalid')) throw error;
    problems.push(error.message);
  }
  return copy;
}
