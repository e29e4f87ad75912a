import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../record/replace-file.ts';
import { PayloadError } from './payload-error.ts';

const schema = z.strictObject({
  /** SHA-256 of the manifest file that the slot is being written from. */
  manifestDigest: z.string().length(64),
  /** So many chunks, from the first, are on the medium. A hint: they are hashed again before it is believed. */
  chunks: z.int().min(0),
});
export type JournalEntry = z.infer<typeof schema>;

/** How far staging has come, kept across crashes in one small file that is replaced as a whole. */
export class Journal {
  readonly #directory: string;
  readonly #path: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.#path = join(directory, 'staging.json');
  }

  /** The last entry; none if there is none or it makes no sense. */
  async read(): Promise<JournalEntry | undefined> {
    try {
      return schema.parse(JSON.parse(await readFile(this.#path, 'utf8')));
    } catch {
      return undefined;
    }
  }

  /** On disk when it returns; throws `StateUnwritable`. */
  async write(entry: JournalEntry): Promise<void> {
    try {
      await replaceFile(this.#path, JSON.stringify(entry));
    } catch (error) {
      const message = `${this.#directory} cannot be written to (${String(error)}); make room or make it writable`;
      throw new PayloadError('StateUnwritable', message, error);
    }
  }
}
