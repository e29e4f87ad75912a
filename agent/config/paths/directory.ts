import { constants } from 'node:fs';
import { lstat, mkdir, open, readlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { errnoOf } from '#agent/errno.ts';
import { ConfigError, configErrorOf } from '../config-error.ts';
import { namesOf } from './host-path.ts';
import type { HostTree } from './host-tree.ts';
import { followAlias } from './root-alias.ts';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;

/**
 * A directory of the host that is held open. What is done through `at()` happens in this very directory: who renames
 * it, or puts a symbolic link in its place, cannot lead a write elsewhere (as openat(2); Node has no such call, but
 * Linux resolves `/proc/self/fd/N/name` from the open directory).
 */
export class Directory implements AsyncDisposable {
  /** On the host, for messages. */
  readonly path: string;
  readonly handle: FileHandle;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.handle = handle;
  }

  /** Walks to `path` component by component, following no link. Rejects with ENOENT or `SymlinkInPath`. */
  static async open(tree: HostTree, path: string): Promise<Directory> {
    let directory = new Directory('/', await open(tree.root, O_RDONLY | O_DIRECTORY));
    for (const name of path === '/' ? [] : namesOf(await followAlias(path, (at) => directory.#link(at)))) {
      directory = await directory.#step(name);
    }
    return directory;
  }

  /** Where the system finds `name` in this directory; `name` is a single component. */
  at(name: string): string {
    return `/proc/self/fd/${this.handle.fd}/${name}`;
  }

  /** The directory `name` in this one, which stays open. */
  async enter(name: string): Promise<Directory> {
    const path = this.#pathOf(name);
    try {
      return new Directory(path, await open(this.at(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') throw error;
      throw await this.#explained(error, name, path);
    }
  }

  /** Makes the directory `name`, for root alone until it is given its owner and mode. */
  async make(name: string): Promise<void> {
    await mkdir(this.at(name), { mode: 0o700 });
  }

  /** What was renamed, made or removed in it stays so. */
  async sync(): Promise<void> {
    await this.handle.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close();
  }

  #pathOf(name: string): string {
    return this.path === '/' ? `/${name}` : `${this.path}/${name}`;
  }

  async #step(name: string): Promise<Directory> {
    try {
      return await this.enter(name);
    } finally {
      await this.handle.close();
    }
  }

  #link(path: string): Promise<string | undefined> {
    return readlink(this.at(path.slice(1))).catch(() => undefined);
  }

  async #explained(error: unknown, name: string, path: string): Promise<ConfigError> {
    if (errnoOf(error) !== 'ENOTDIR' && errnoOf(error) !== 'ELOOP')
      return configErrorOf(error, 'opening', path);
    const stat = await lstat(this.at(name)).catch(() => undefined);
    if (stat !== undefined && !stat.isSymbolicLink())
      return new ConfigError('PathRefused', `${path} is not a directory`, { path });
    const message = `${path} is a symbolic link, which is never followed: name the place itself`;
    return new ConfigError('SymlinkInPath', message, { path, cause: error });
  }
}
