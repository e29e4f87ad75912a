import { join } from 'node:path';
import { JournalFile } from '../journal/journal-file.ts';
import type { HostTree } from '../paths/host-tree.ts';
import { Preimages } from './preimages.ts';
import { Store } from './store.ts';

export interface HostFilesOptions {
  tree: HostTree;
  /** The agent's own; what belongs to configurations is in its `config` directory. */
  stateDir: string;
  machineID: string;
}

/** What every transaction works on. */
export class Workplace {
  readonly tree: HostTree;
  readonly directory: string;
  readonly store: Store;
  readonly journal: JournalFile;
  readonly preimages: Preimages;

  constructor({ tree, stateDir, machineID }: HostFilesOptions) {
    this.tree = tree;
    this.directory = join(stateDir, 'config');
    this.store = new Store(this.directory, machineID);
    this.journal = new JournalFile(join(this.directory, 'journal'));
    this.preimages = new Preimages(join(this.directory, 'preimages'));
  }
}
