import { crc32 } from 'node:zlib';
import { gptInvalid, type Header } from './header.ts';
import { ENTRY_SIZE, USR_TYPE } from './layout.ts';
import { checkPartitions, parsePartitions, type Partition } from './partition.ts';

/** A partition table as a value: never changed, only replaced. */
export interface Table {
  /** Header of the copy that the table was read from. */
  readonly header: Header;
  /** The array of entries, byte for byte. */
  readonly entries: Buffer;
  readonly partitions: readonly Partition[];
}

/** The table of a header and its entries; `GptInvalid` if they do not belong together or contradict themselves. */
export function parseTable(header: Header, entries: Buffer): Table {
  if (crc32(entries) !== header.entriesCRC) throw gptInvalid('its entries are damaged (CRC)');
  const partitions = parsePartitions(entries);
  checkPartitions(partitions, header.firstUsable, header.lastUsable);
  return { header, entries: Buffer.from(entries), partitions };
}

/** What the bootloader reads of a slot. */
export type Marks = Pick<Partition, 'priority' | 'tries' | 'successful'>;

/** The table with new marks on partition `number`; every other bit stays. */
export function withMarks(table: Table, number: number, marks: Marks): Table {
  const entries = Buffer.from(table.entries);
  const at = (number - 1) * ENTRY_SIZE;
  entries.writeUInt8((marks.tries << 4) | marks.priority, at + 54);
  entries.writeUInt8((entries.readUInt8(at + 55) & ~1) | Number(marks.successful), at + 55);
  return { ...table, entries, partitions: parsePartitions(entries) };
}

/** The partitions that the bootloader chooses from, in the table's order. */
export function slotsOf(table: Table): Partition[] {
  return table.partitions.filter(({ type }) => type === USR_TYPE);
}
