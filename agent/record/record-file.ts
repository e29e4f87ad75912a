import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { RecordError } from './record-error.ts';
import { emptyRecord, RECORD_FORMAT, recordSchema } from './record.ts';
import type { AgentRecord } from './record.ts';
import { replaceFile } from './replace-file.ts';

/** Where a record lives. `write` returns once the record would survive a power cut. Both throw `RecordError`. */
export interface RecordStore {
  read(): Promise<AgentRecord>;
  write(record: AgentRecord): Promise<void>;
}

const MAX_BYTES = 1024 * 1024;

/** The record as `<stateDir>/agent.json`, replaced as a whole: a reader sees the old one or the new one. */
export class RecordFile implements RecordStore {
  readonly path: string;

  constructor(stateDir: string) {
    this.path = join(stateDir, 'agent.json');
  }

  async read(): Promise<AgentRecord> {
    const text = await this.#text();
    return text === undefined ? emptyRecord() : parseRecord(text, this.path);
  }

  async write(record: AgentRecord): Promise<void> {
    try {
      await replaceFile(this.path, JSON.stringify(record));
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? String(error);
      const message = `cannot write ${this.path} (${why}): make room or make it writable; nothing moves until then`;
      throw new RecordError('Unwritable', message, error);
    }
  }

  async #text(): Promise<string | undefined> {
    try {
      return await readBounded(this.path);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT') return undefined;
      throw new RecordError('Unreadable', `cannot read ${this.path} (${code}); ${ADVICE}`, error);
    }
  }
}

const ADVICE =
  'repair it, or move it away if you are sure that no update is under way; until then the agent leaves the disk alone';

/** The record in `text`; `path` names it in the error. */
export function parseRecord(text: string, path: string): AgentRecord {
  if (text.length > MAX_BYTES)
    throw new RecordError('Unreadable', `${path} is larger than ${MAX_BYTES} bytes; ${ADVICE}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RecordError('Unreadable', `${path} is not JSON; ${ADVICE}`, error);
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (typeof format === 'number' && format !== RECORD_FORMAT) {
    throw new RecordError(
      'FormatUnknown',
      `${path} has format ${format}, this agent knows ${RECORD_FORMAT}; run the agent that wrote it`,
    );
  }
  const parsed = recordSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new RecordError('Unreadable', `${path}: ${z.prettifyError(parsed.error)}; ${ADVICE}`, parsed.error);
}

/** At most one byte more than a record may have: enough to see that it is none. */
async function readBounded(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(Math.min((await file.stat()).size, MAX_BYTES + 1));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return bytes.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
