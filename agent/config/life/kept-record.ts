import type { ConfigRecord, ConfigRecordFile } from './config-record.ts';

/** The record as it is on the disk: what it says here, it says there. */
export class KeptRecord {
  readonly #file: ConfigRecordFile;
  #value: ConfigRecord | undefined;

  constructor(file: ConfigRecordFile) {
    this.#file = file;
  }

  /** After `read`. */
  get value(): ConfigRecord {
    return this.#value!;
  }

  async read(): Promise<void> {
    this.#value = await this.#file.read();
  }

  async save(change: Partial<ConfigRecord>): Promise<void> {
    const record = { ...this.value, ...change };
    await this.#file.write(record);
    this.#value = record;
  }
}
