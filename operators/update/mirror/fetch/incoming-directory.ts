import { constants } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Incoming } from './incoming.ts';

/** Files by hand in a directory of the mirror's volume. */
export class IncomingDirectory implements Incoming {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** A copy, so that nobody can change it after it was verified. */
  async take(version: string, name: string, path: string, size?: number): Promise<boolean> {
    const source = this.#path(version, name);
    const found = await stat(source).catch(() => undefined);
    if (found === undefined || !found.isFile() || (size !== undefined && found.size !== size)) return false;
    await mkdir(dirname(path), { recursive: true });
    await copyFile(source, `${path}.copy`, constants.COPYFILE_FICLONE);
    await rename(`${path}.copy`, path);
    return true;
  }

  async read(version: string, name: string, limit: number): Promise<Buffer | undefined> {
    const path = this.#path(version, name);
    const found = await stat(path).catch(() => undefined);
    return found?.isFile() && found.size <= limit ? readFile(path) : undefined;
  }

  async remove(version: string, name: string): Promise<void> {
    await rm(this.#path(version, name), { force: true });
  }

  #path(version: string, name: string): string {
    return join(this.#directory, version, name);
  }
}
