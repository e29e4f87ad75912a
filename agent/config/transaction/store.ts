import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from '#agent/errno.ts';
import { z } from 'zod';
import { configDocument } from '#api/config-document.ts';
import type { ConfigDocument } from '#api/config-document.ts';
import { replaceFile, syncDirectory } from '#agent/record/replace-file.ts';
import { ConfigError, configErrorOf } from '../config-error.ts';
import { metaSchema } from '../journal/record.ts';
import type { Meta } from '../journal/record.ts';
import { ownedSchema } from '../plan/owned.ts';
import type { Owned } from '../plan/owned.ts';

const ledgerSchema = z.strictObject({
  format: z.literal(1),
  /** Of the host that the paths are of. */
  machineID: z.string(),
  meta: metaSchema.optional(),
  owned: z.array(ownedSchema),
});
type Ledger = z.infer<typeof ledgerSchema>;

/**
 * What is in force, in the agent's state directory, for root alone: `owned.json` (what is whose) and `current.json`
 * (the document with its contents); `next.json` is the document of the transaction under way.
 */
export class Store {
  readonly directory: string;
  readonly #machineID: string;

  constructor(directory: string, machineID: string) {
    this.directory = directory;
    this.#machineID = machineID;
  }

  /**
   * Makes the directory. What another machine left there (a disk that was cloned or moved) says nothing about this
   * one's files: it is put aside, and everything is planned anew.
   */
  async open(): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    await syncDirectory(dirname(this.directory));
    const ledger = await this.#ledger();
    if (ledger === undefined || ledger.machineID === this.#machineID) return;
    const aside = `${this.directory}-of-${ledger.machineID.replaceAll(/[^0-9A-Za-z-]/g, '')}`;
    await rm(aside, { recursive: true, force: true });
    await rename(this.directory, aside);
    await this.open();
  }

  /** Names the machine before its first transaction, whose journal is of this machine then. */
  async claim(): Promise<void> {
    if ((await this.#ledger()) === undefined) await this.write(undefined, []);
  }

  async read(): Promise<{ meta: Meta | undefined; owned: readonly Owned[] }> {
    const ledger = await this.#ledger();
    return { meta: ledger?.meta, owned: ledger?.owned ?? [] };
  }

  async write(meta: Meta | undefined, owned: readonly Owned[]): Promise<void> {
    const ledger: Ledger = { format: 1, machineID: this.#machineID, meta, owned: [...owned] };
    await replaceFile(join(this.directory, 'owned.json'), JSON.stringify(ledger));
  }

  async document(): Promise<ConfigDocument | undefined> {
    const text = await this.#text('current.json');
    return text === undefined ? undefined : this.#parsed('current.json', text, configDocument);
  }

  async writeNext(document: ConfigDocument): Promise<void> {
    await replaceFile(join(this.directory, 'next.json'), JSON.stringify(document));
  }

  /** The document of the transaction is the one in force. May be repeated. */
  async takeNext(): Promise<void> {
    try {
      await rename(join(this.directory, 'next.json'), join(this.directory, 'current.json'));
      await syncDirectory(this.directory);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }

  async dropNext(): Promise<void> {
    await rm(join(this.directory, 'next.json'), { force: true });
  }

  async #ledger(): Promise<Ledger | undefined> {
    const text = await this.#text('owned.json');
    return text === undefined ? undefined : this.#parsed('owned.json', text, ledgerSchema);
  }

  async #text(name: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.directory, name), 'utf8');
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw configErrorOf(error, 'reading', join(this.directory, name));
    }
  }

  /** Never taken for nothing: that would forget what was there before. */
  #parsed<T>(name: string, text: string, schema: z.ZodType<T>): T {
    try {
      return schema.parse(JSON.parse(text));
    } catch (error) {
      const path = join(this.directory, name);
      const message = `${path} cannot be understood: repair it, or move ${this.directory} away to begin anew`;
      throw new ConfigError('Internal', message, { path, cause: error });
    }
  }
}
