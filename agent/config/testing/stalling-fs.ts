import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/** Calls that change the disk, or say that it may be changed. */
const CALLS = [
  'open',
  'rename',
  'link',
  'symlink',
  'lchown',
  'unlink',
  'mkdir',
  'rmdir',
  'rm',
  'truncate',
] as const;
const ON_HANDLES = ['writeFile', 'chown', 'chmod', 'sync', 'datasync'] as const;
const originals = new Map<string, unknown>(CALLS.map((name) => [name, fs[name]]));

/**
 * The process "dies" before its n-th call on the disk: that call and all after it never return, as with SIGKILL
 * between two instructions, so that no handler and no clean-up runs. The calls before it are real.
 */
export class StallingFs implements AsyncDisposable {
  readonly #at: number;
  readonly #opened: FileHandle[] = [];
  #calls = 0;
  readonly #died = Promise.withResolvers<void>();

  constructor(at: number) {
    this.#at = at;
    for (const name of CALLS) this.#replace(name);
    syncBuiltinESMExports();
  }

  get calls(): number {
    return this.#calls;
  }

  /** Ends when `task` does, or when it is dead: true if it came to its end. */
  async survives(task: Promise<unknown>): Promise<boolean> {
    return Promise.race([task.then(() => true), this.#died.promise.then(() => false)]);
  }

  #replace(name: (typeof CALLS)[number]): void {
    const original = originals.get(name) as (...args: unknown[]) => Promise<unknown>;
    const replaced = (...args: unknown[]) =>
      this.#step(() => original(...args), name !== 'open' || isForWriting(args[1]));
    Object.assign(fs, { [name]: replaced });
  }

  #step(call: () => Promise<unknown>, counts = true): Promise<unknown> {
    if (counts) this.#calls++;
    if (this.#calls >= this.#at) {
      this.#died.resolve();
      return new Promise(() => {});
    }
    return call().then((result) => {
      if (isHandle(result)) this.#watch(result);
      return result;
    });
  }

  #watch(handle: FileHandle): void {
    this.#opened.push(handle);
    for (const name of ON_HANDLES) {
      const original = handle[name].bind(handle) as (...args: unknown[]) => Promise<unknown>;
      Object.assign(handle, { [name]: (...args: unknown[]) => this.#step(() => original(...args)) });
    }
  }

  /** Alive again: as the kernel does, what the dead left open is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    Object.assign(fs, Object.fromEntries(originals));
    syncBuiltinESMExports();
    await Promise.allSettled(this.#opened.map((handle) => handle.close()));
  }
}

/** Whether opening may change the disk. */
function isForWriting(flags: unknown): boolean {
  return typeof flags === 'number' ? (flags & (constants.O_WRONLY | constants.O_RDWR)) !== 0 : flags !== 'r';
}

function isHandle(value: unknown): value is FileHandle {
  return typeof value === 'object' && value !== null && 'datasync' in value;
}
