import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile, syncDirectory } from '#agent/record/replace-file.ts';
import { createHash } from 'node:crypto';
import { errnoOf } from '#agent/errno.ts';
import { ConfigError } from '../config-error.ts';

/** Contents of files that Careen has replaced, by their SHA-256, for root alone. */
export class Preimages {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** On the medium when it returns. */
  async save(sha256: string, content: Buffer): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await replaceFile(join(this.#directory, sha256), content);
  }

  async has(sha256: string): Promise<boolean> {
    return (await this.#names()).includes(sha256);
  }

  /** Throws `IoError` if it is gone or damaged: a wrong content is never restored. */
  async read(sha256: string, path: string): Promise<Buffer> {
    const content = await readFile(join(this.#directory, sha256)).catch(() => undefined);
    if (content !== undefined && createHash('sha256').update(content).digest('hex') === sha256)
      return content;
    const message = `what ${path} was before is lost or damaged in ${this.#directory}: set onRemove to Delete or Keep`;
    throw new ConfigError('IoError', message, { path });
  }

  /** Forgets all others. */
  async keepOnly(wanted: ReadonlySet<string>): Promise<void> {
    const others = (await this.#names()).filter((name) => !wanted.has(name));
    for (const name of others) await rm(join(this.#directory, name), { force: true });
    if (others.length > 0) await syncDirectory(this.#directory);
  }

  async #names(): Promise<string[]> {
    return readdir(this.#directory).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return [];
      throw error;
    });
  }
}
