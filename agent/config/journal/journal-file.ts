import { constants } from 'node:fs';
import { mkdir, open, readFile, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '#agent/errno.ts';
import { replaceFile, syncDirectory } from '#agent/record/replace-file.ts';
import { decodeRecords, encodeRecord } from './record.ts';
import type { JournalRecord } from './record.ts';

/**
 * What is decided about a transaction, which is the name of its journal. Renaming the file is the decision: of the
 * agent that keeps a change and the timer of the host that undoes it, exactly one succeeds.
 */
export type Verdict = 'open' | 'kept' | 'reverted';
const VERDICTS = ['open', 'kept', 'reverted'] as const;

/** What the timer of the host leaves beside the journal when it undoes a change. */
export const UNDONE_BY_HOST = 'undone-by-host';

const { O_WRONLY, O_APPEND, O_NOFOLLOW } = constants;

/** The journal of the one transaction under way, `<directory>/{open,kept,reverted}`. Errors are the system's. */
export class JournalFile {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  path(verdict: Verdict): string {
    return join(this.directory, verdict);
  }

  /** What survived of it; undefined if no transaction is under way. A torn end is cut off, to be written on. */
  async read(): Promise<{ verdict: Verdict; records: JournalRecord[] } | undefined> {
    for (const verdict of VERDICTS) {
      const bytes = await readFile(this.path(verdict)).catch(missing);
      if (bytes === undefined) continue;
      const { records, length } = decodeRecords(bytes);
      if (length < bytes.length) await truncate(this.path(verdict), length);
      return { verdict, records };
    }
    return undefined;
  }

  /** Begins a journal; its first record is there as a whole or not at all. */
  async create(record: JournalRecord): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    await replaceFile(this.path('open'), encodeRecord(record));
  }

  /** On disk when it returns. ENOENT if the verdict is another one by now. */
  async append(verdict: Verdict, record: JournalRecord): Promise<void> {
    const file = await open(this.path(verdict), O_WRONLY | O_APPEND | O_NOFOLLOW);
    try {
      await file.writeFile(encodeRecord(record));
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  /** False if somebody else has decided before. */
  async decide(verdict: 'kept' | 'reverted'): Promise<boolean> {
    try {
      await rename(this.path('open'), this.path(verdict));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
    await syncDirectory(this.directory);
    return true;
  }

  async wasUndoneByHost(): Promise<boolean> {
    return (await readFile(join(this.directory, UNDONE_BY_HOST)).catch(missing)) !== undefined;
  }

  /** The transaction is over. */
  async remove(): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    // The hint of the host goes last: it belongs to the journal.
    for (const name of ['open.new', ...VERDICTS, UNDONE_BY_HOST]) {
      await rm(join(this.directory, name), { force: true });
    }
    await syncDirectory(this.directory);
  }
}

function missing(error: unknown): undefined {
  if (errnoOf(error) !== 'ENOENT') throw error;
}
