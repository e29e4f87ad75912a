import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CONFIG_ERRORS } from '#api/config-errors.ts';
import { instant } from '#api/fields.ts';
import { RecordError } from '#agent/record/record-error.ts';
import { replaceFile } from '#agent/record/replace-file.ts';

export const configFailure = z.object({ code: z.enum(CONFIG_ERRORS), message: z.string().max(1024) });
export type ConfigFailure = z.infer<typeof configFailure>;

const unitBefore = z.object({ enabled: z.boolean().optional(), ran: z.boolean().optional() });

/** What asks for the node to be drained or rebooted. */
const request = z.object({
  /** Of what is to be applied; empty: all of careen's is to go. */
  hash: z.string(),
  kind: z.enum(['Drain', 'Reboot']),
  since: instant,
});
export type ConfigRequest = z.infer<typeof request>;

/** A grant that was accepted; it is acted on in its boot only. */
const accepted = z.object({
  id: z.string(),
  bootID: z.string(),
  mode: z.enum(['reboot', 'drain']),
  /** The request that was answered, as status.reboot told it. */
  request: z.object({ kind: z.enum(['Drain', 'Reboot']), reasons: z.array(z.string()), since: instant }),
});
export type Accepted = z.infer<typeof accepted>;

/** How the last change that did not stay, ended. */
const last = z.object({
  hash: z.string(),
  generation: z.int().min(0),
  phase: z.enum(['Failed', 'Reverted', 'Degraded']),
  error: configFailure,
  transaction: z.string().optional(),
  at: instant,
});
export type LastConfig = z.infer<typeof last>;

/**
 * What the agent must still know of the node's configuration after it was killed, beside what the journal of the
 * files tells.
 */
export const configRecord = z.object({
  format: z.literal(1),
  /** Of the installation that it speaks of: a disk that was moved says nothing of another machine. */
  machineID: z.string(),
  /** Highest generation that was ever in force. */
  highest: z.int().min(0),
  /** How units were before careen changed them. */
  units: z.record(z.string(), unitBefore),
  /** Settings of the kernel that careen made, and what they were before. */
  sysctls: z.record(z.string(), z.string()).default({}),
  /** What careen has added to the kernel's command line, and taken from it. */
  kernelArguments: z.object({ added: z.array(z.string()), removed: z.array(z.string()) }),
  last: last.optional(),
  request: request.optional(),
  accepted: accepted.optional(),
});
export type ConfigRecord = z.infer<typeof configRecord>;

export function emptyConfigRecord(machineID: string): ConfigRecord {
  const kernelArguments = { added: [], removed: [] };
  return { format: 1, machineID, highest: 0, units: {}, sysctls: {}, kernelArguments };
}

/** The record as `<stateDir>/config-life.json`. Both methods throw `RecordError`. */
export class ConfigRecordFile {
  readonly #path: string;
  readonly #machineID: string;

  constructor(stateDir: string, machineID: string) {
    this.#path = join(stateDir, 'config-life.json');
    this.#machineID = machineID;
  }

  async read(): Promise<ConfigRecord> {
    const empty = emptyConfigRecord(this.#machineID);
    const text = await this.#text();
    if (text === undefined) return empty;
    try {
      const record = configRecord.parse(JSON.parse(text));
      return record.machineID === this.#machineID ? record : empty;
    } catch (error) {
      const message = `${this.#path} cannot be understood: repair it, or move it away to begin anew`;
      throw new RecordError('Unreadable', message, error);
    }
  }

  async write(record: ConfigRecord): Promise<void> {
    try {
      await replaceFile(this.#path, JSON.stringify(record));
    } catch (error) {
      const message = `cannot write ${this.#path} (${String(error)}): make room or make it writable`;
      throw new RecordError('Unwritable', message, error);
    }
  }

  async #text(): Promise<string | undefined> {
    try {
      return await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new RecordError('Unreadable', `cannot read ${this.#path} (${String(error)})`, error);
    }
  }
}
