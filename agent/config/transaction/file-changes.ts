import { basename, dirname } from 'node:path';
import { errnoOf } from '#agent/errno.ts';
import { configErrorOf } from '../config-error.ts';
import { Directory } from '../paths/directory.ts';
import type { HostTree } from '../paths/host-tree.ts';
import type { Change } from '../plan/change.ts';
import { scan } from '../plan/scan.ts';
import { sameState } from '../plan/state.ts';
import { remove } from './place.ts';
import { stageChange } from './stage-change.ts';
import { removeIfEmpty, switchChange } from './switch-change.ts';
import { tempNames } from './temp-names.ts';
import type { TempNames } from './temp-names.ts';
import { undoChange } from './undo-change.ts';

type What = 'staging' | 'replacing' | 'restoring' | 'cleaning up';
type Deed = (directory: Directory, change: Change, names: TempNames) => Promise<unknown>;

/** The changes of one transaction on the disk. Each method returns when what it did would survive a power cut. */
export class FileChanges {
  readonly #tree: HostTree;
  readonly #id: string;
  readonly #changes: readonly Change[];

  constructor(tree: HostTree, id: string, changes: readonly Change[]) {
    this.#tree = tree;
    this.#id = id;
    this.#changes = changes;
  }

  /** `content` gives the bytes of the file that a change makes. */
  async stage(content: (change: Change) => Promise<Buffer | undefined>): Promise<void> {
    await this.#each('staging', this.#changes, async (directory, change, names) =>
      stageChange(directory, change, names, await content(change)),
    );
  }

  async switch(): Promise<void> {
    await this.#each('replacing', this.#changes, switchChange);
  }

  /** Whether everything is as it was wanted. */
  async isSwitched(): Promise<boolean> {
    for (const { path, after } of this.#changes) {
      const found = await scan(this.#tree, path);
      // Directories go when the change is kept, if they are empty then.
      if (!sameState(found, after) && !(after.type === 'absent' && found.type === 'directory')) return false;
    }
    return true;
  }

  async undo(): Promise<void> {
    await this.#each('restoring', this.#changes.toReversed(), undoChange);
  }

  /** Gives up what was there before, and directories that are empty without it. */
  async forget(): Promise<void> {
    await this.#each('cleaning up', this.#changes, (directory, _, names) => remove(directory, names.old));
    const directories = this.#changes.filter(
      ({ before, after }) => before.type === 'directory' && after.type === 'absent',
    );
    await this.#each('cleaning up', directories, (directory, { path }) =>
      removeIfEmpty(directory, basename(path)),
    );
  }

  names(change: Change): TempNames {
    return tempNames(this.#id, this.#changes.indexOf(change));
  }

  async #each(what: What, changes: readonly Change[], deed: Deed): Promise<void> {
    const touched = new Set<string>();
    for (const change of changes) {
      const parent = dirname(change.path);
      touched.add(parent);
      try {
        await using directory = await Directory.open(this.#tree, parent);
        await deed(directory, change, this.names(change));
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT' || !this.#isMoot(what, change))
          throw configErrorOf(error, what, change.path);
      }
    }
    for (const path of touched) await this.#sync(path);
  }

  /**
   * Whether it is no matter that the directory is not there: it was never made, or nothing in it is needed. One that
   * was there before and is not now may come back, with what is to be put back in it.
   */
  #isMoot(what: What, { path, after }: Change): boolean {
    if (what === 'cleaning up') return true;
    if (what === 'replacing') return after.type === 'absent';
    const made = this.#changes.find((change) => change.path === dirname(path));
    return what === 'restoring' && made?.before.type === 'absent';
  }

  async #sync(path: string): Promise<void> {
    try {
      await using directory = await Directory.open(this.#tree, path);
      await directory.sync();
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw configErrorOf(error, 'writing', path);
    }
  }
}
