import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

interface Watched {
  watcher: FSWatcher;
  /** A directory that is removed and made again is another one, and its old watcher is deaf. */
  identity: string;
}

/**
 * Hears from the kernel (inotify) that something happened in directories of managed paths. It is a hint, no more: it
 * may be late, come twice, or be missing, as after a directory was removed and made again. Then the sweep finds it,
 * and `watch` listens anew.
 */
export class Hints {
  readonly #root: string;
  readonly #onHint: (directory: string) => void;
  readonly #watched = new Map<string, Watched>();

  /** `onHint` is given the path of a directory on the host. */
  constructor(root: string, onHint: (directory: string) => void) {
    this.#root = root;
    this.#onHint = onHint;
  }

  /** Listens in exactly these directories; one that is not there is tried again at the next call. */
  async watch(directories: ReadonlySet<string>): Promise<void> {
    for (const path of this.#watched.keys()) if (!directories.has(path)) this.#forget(path);
    for (const path of directories) await this.#renew(path);
  }

  close(): void {
    for (const path of this.#watched.keys()) this.#forget(path);
  }

  async #renew(path: string): Promise<void> {
    const identity = await identityOf(join(this.#root, path));
    if (this.#watched.get(path)?.identity === identity) return;
    this.#forget(path);
    if (identity === undefined) return;
    try {
      const watcher = watch(join(this.#root, path), { persistent: false }, () => this.#onHint(path));
      watcher.on('error', () => this.#forget(path));
      this.#watched.set(path, { watcher, identity });
    } catch {
      // No inotify watch is left on this host, or the directory went: the sweep remains.
    }
  }

  #forget(path: string): void {
    this.#watched.get(path)?.watcher.close();
    this.#watched.delete(path);
  }
}

/** With the time of its birth: ext4 gives the number of an inode that has just gone to the next one that is made. */
async function identityOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found && `${found.dev}:${found.ino}:${found.birthtimeNs}`;
}
