import type { Medium } from '../medium.ts';
import { SlotError } from '../slot-error.ts';
import { encodeCopies, sameCopy, type EncodedCopy } from './encode.ts';
import { BLOCK, PRIMARY_ENTRIES_LBA, SECTOR } from './layout.ts';
import { readTable, type TableOnDisk } from './read.ts';
import type { Table } from './table.ts';

/**
 * Replaces the table on the disk by `next`, derived from `found`, so that a power cut at any instant leaves
 * one good copy, old or new: a bad primary copy is restored first, then backup, sync, primary in one aligned
 * 4 KiB write, sync; at last both are read back from the medium and compared. Writes nothing when the disk
 * is as wanted. Returns whether it wrote.
 *
 * Throws `SlotBusy` if somebody else changed the table since `found` was read (try again from the start),
 * `IoError` if the disk did not keep what was written.
 */
export async function commit(medium: Medium, found: TableOnDisk, next: Table): Promise<boolean> {
  const wanted = encodeCopies(next, found.backup?.header);
  const backupDone = sameCopy(found.backup, wanted.backup);
  const primaryDone = sameCopy(found.primary, wanted.primary);
  if (backupDone && primaryDone) return false;
  await checkUnchanged(medium, found);
  // The only good copy is never written over: with a bad primary, the backup is not touched before the
  // primary has been made good from it.
  if (!found.primary) await writePrimary(medium, encodeCopies(found.table, found.backup?.header).primary);
  if (!backupDone) await writeBackup(medium, wanted.backup);
  if (!primaryDone) await writePrimary(medium, wanted.primary);
  await checkWritten(medium, wanted);
  return true;
}

/** Both copies are good and say the same. */
export function isIntact({ table, primary, backup }: TableOnDisk): boolean {
  const wanted = encodeCopies(table, backup?.header);
  return sameCopy(primary, wanted.primary) && sameCopy(backup, wanted.backup);
}

async function writeBackup(medium: Medium, { headerLBA, header, entriesLBA, entries }: EncodedCopy) {
  const gap = (headerLBA - entriesLBA) * SECTOR - entries.length;
  if (gap === 0) {
    await medium.write(entriesLBA * SECTOR, Buffer.concat([entries, header]));
  } else {
    await medium.write(entriesLBA * SECTOR, entries);
    await medium.write(headerLBA * SECTOR, header);
  }
  await medium.sync();
}

/**
 * The header and entries 1–24 lie in the disk's first 4 KiB, which most devices write all or not at all.
 * Entries behind these are written before, if they change; the backup is good meanwhile.
 */
async function writePrimary(medium: Medium, { headerLBA, header, entries }: EncodedCopy) {
  const entriesAt = PRIMARY_ENTRIES_LBA * SECTOR;
  const inBlock = Math.min(entries.length, BLOCK - entriesAt);
  const rest = entries.subarray(inBlock);
  if (!(await medium.read(BLOCK, rest.length)).equals(rest)) {
    await medium.write(BLOCK, rest);
    await medium.sync();
  }
  const block = await medium.read(0, BLOCK); // the MBR in sector 0 stays, hybrid or not
  header.copy(block, headerLBA * SECTOR);
  entries.copy(block, entriesAt, 0, inBlock);
  await medium.write(0, block);
  await medium.sync();
}

/** The lock against other programs, as far as there is one: nothing has changed up to this instant. */
async function checkUnchanged(medium: Medium, found: TableOnDisk): Promise<void> {
  const now = await readTable(medium);
  if (sameTable(now.primary, found.primary) && sameTable(now.backup, found.backup)) return;
  throw new SlotError('SlotBusy', 'another program is changing the partition table; it is tried again');
}

function sameTable(a: Table | undefined, b: Table | undefined): boolean {
  if (!a || !b) return a === b;
  return a.header.raw.equals(b.header.raw) && a.entries.equals(b.entries);
}

async function checkWritten(medium: Medium, wanted: { primary: EncodedCopy; backup: EncodedCopy }) {
  const { primary, backup } = await readTable(medium, { fromMedium: true });
  if (sameCopy(primary, wanted.primary) && sameCopy(backup, wanted.backup)) return;
  throw new SlotError(
    'IoError',
    'the disk did not keep the partition table that was written; replace the disk',
  );
}
