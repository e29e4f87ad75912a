import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { replaceFile, syncDirectory } from '#agent/record/replace-file.ts';
import { fileDigest, matchesRecord, writeRecord } from './blob-record.ts';
import type { PayloadStore, VerifiedFile } from './payload-store.ts';
import { isDigest, tree as treeSchema, type Tree } from './tree.ts';

const READ_BYTES = 256 * 1024;

/**
 * Payloads in a directory. A file appears in `blobs/` under its SHA-256 by a rename, after it was verified and synced;
 * `records/` holds size and time of change as of then; a tree in `trees/` comes last, so that what it names is there.
 */
export class DirectoryStore implements PayloadStore {
  readonly isShared = false;
  readonly #directory: string;
  #turn: Promise<void> = Promise.resolve();

  constructor(directory: string) {
    this.#directory = directory;
  }

  async open(): Promise<void> {
    for (const part of ['blobs', 'records', 'trees']) {
      await mkdir(join(this.#directory, part), { recursive: true });
    }
    for (const name of await readdir(join(this.#directory, 'blobs'))) await this.#check(name);
    const trees = await this.#readTrees();
    for (const { digest, files } of trees) {
      if (!(await this.#hasAll(files))) await this.drop(digest);
    }
    await this.#dropUnused();
  }

  async trees(): Promise<Tree[]> {
    return this.#readTrees();
  }

  async tree(digest: string): Promise<Tree | undefined> {
    if (!isDigest(digest)) return undefined;
    const text = await readFile(this.#path('trees', `${digest}.json`), 'utf8').catch(absent);
    return text === undefined ? undefined : treeSchema.parse(JSON.parse(text));
  }

  async publish(tree: Tree, files: readonly VerifiedFile[]): Promise<void> {
    await this.#inTurn(async () => {
      for (const file of files) await this.#take(file);
      await replaceFile(this.#path('trees', `${tree.digest}.json`), JSON.stringify(tree), 0o644);
    });
    // Only now: a program that was killed before finds them, and need not fetch them again.
    for (const { path } of files) await rm(path, { force: true });
  }

  async drop(digest: string): Promise<void> {
    await rm(this.#path('trees', `${digest}.json`), { force: true });
    await syncDirectory(this.#path('trees'));
    await this.#inTurn(() => this.#dropUnused());
  }

  async read(sha256: string, start: number, end: number): Promise<Readable> {
    const file = await open(this.#path('blobs', sha256), constants.O_RDONLY);
    return file.createReadStream({ start, end: end - 1, highWaterMark: READ_BYTES });
  }

  async clear(): Promise<void> {} // what is not in a tree goes when one is dropped, and when it is opened

  trouble(): undefined {}

  close(): void {}

  /** A file whose tree is about to come must not be taken for one that nobody needs. */
  #inTurn(act: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(act);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #take({ path, sha256 }: VerifiedFile): Promise<void> {
    const blob = this.#path('blobs', sha256);
    await syncFile(path);
    await link(path, blob).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return;
      if (error.code !== 'EXDEV') throw error;
      await copyFile(path, `${blob}.new`); // from another file system
      await syncFile(`${blob}.new`);
      await rename(`${blob}.new`, blob);
    });
    await syncDirectory(this.#path('blobs'));
    await writeRecord(blob, this.#path('records', sha256));
  }

  /** A blob that is not as recorded is read as a whole; its name tells what it must be. */
  async #check(name: string): Promise<void> {
    const [blob, record] = [this.#path('blobs', name), this.#path('records', name)];
    if (isDigest(name) && (await matchesRecord(blob, record))) return;
    if (isDigest(name) && (await fileDigest(blob)) === name) return writeRecord(blob, record);
    await rm(blob, { force: true });
    await rm(record, { force: true });
  }

  async #dropUnused(): Promise<void> {
    const used = new Set((await this.#readTrees()).flatMap(({ files }) => files.map(({ sha256 }) => sha256)));
    for (const part of ['blobs', 'records']) {
      for (const name of await readdir(this.#path(part))) {
        if (!used.has(name)) await rm(this.#path(part, name), { force: true });
      }
    }
  }

  async #readTrees(): Promise<Tree[]> {
    const names = await readdir(this.#path('trees'));
    const trees = await Promise.all(
      names.filter((name) => name.endsWith('.json')).map((name) => this.tree(name.slice(0, -'.json'.length))),
    );
    return trees.filter((tree) => tree !== undefined);
  }

  async #hasAll(files: Tree['files']): Promise<boolean> {
    const found = await Promise.all(
      files.map(
        async ({ sha256, size }) => (await stat(this.#path('blobs', sha256)).catch(absent))?.size === size,
      ),
    );
    return found.every(Boolean);
  }

  #path(...parts: string[]): string {
    return join(this.#directory, ...parts);
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
