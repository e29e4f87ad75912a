import { dirname } from 'node:path';
import type { Log } from '#runtime/log/log.ts';
import { unitOf } from '../actions/effects.ts';
import type { HostTree } from '../paths/host-tree.ts';
import type { Applied } from '../transaction/contract.ts';
import type { HostFiles } from '../transaction/host-files.ts';
import type { Difference } from './difference.ts';
import { Hints } from './hints.ts';
import type { Keeper } from './keeper.ts';
import { keyDrifts, keyPaths } from './key-drift.ts';
import { StatCache } from './stat-cache.ts';
import { sweep } from './sweep.ts';

export interface FileKeeperOptions {
  tree: HostTree;
  files: Pick<HostFiles, 'heal' | 'tidy'>;
  log: Pick<Log, 'warn'>;
  onHint: () => void;
  /** daemon-reload: systemd may have read what others had made of its units. */
  reloadUnits: () => Promise<void>;
}

/** Keeps files, directories, links, and the keys of users. */
export class FileKeeper implements Keeper {
  readonly #options: FileKeeperOptions;
  readonly #hints: Hints;
  readonly #cache = new StatCache();

  constructor(options: FileKeeperOptions) {
    this.#options = options;
    this.#hints = new Hints(options.tree.root, options.onHint);
  }

  async listen({ owned, document }: Applied): Promise<void> {
    const keys = document === undefined ? [] : await keyPaths(this.#options.tree, document);
    const paths = [...owned.map(({ path }) => path), ...keys.filter((path) => path.startsWith('/'))];
    await this.#hints.watch(new Set(paths.map((path) => dirname(path))));
  }

  close(): void {
    this.#hints.close();
  }

  async find({ owned, document }: Applied): Promise<Difference[]> {
    const { tree, files, log } = this.#options;
    await files.tidy(log);
    const found = await sweep(tree, owned, this.#cache);
    this.#cache.turn();
    return document === undefined ? found : [...found, ...(await keyDrifts(tree, document))];
  }

  async heal(path: string): Promise<boolean> {
    const healed = await this.#options.files.heal(new Set([path]));
    if (healed && unitOf(path) !== undefined) await this.#options.reloadUnits();
    return healed;
  }
}
