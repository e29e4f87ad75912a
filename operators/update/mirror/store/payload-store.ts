import type { Readable } from 'node:stream';
import type { Tree } from './tree.ts';

/** A file on this machine that was verified; the store takes it over. */
export interface VerifiedFile {
  path: string;
  /** In hex. */
  sha256: string;
}

/** Where verified payloads are kept. What can be read of it is whole, whenever a program before was killed. */
export interface PayloadStore {
  /** Several programs may serve from it at the same time; one of them writes. */
  readonly isShared: boolean;
  /** Checks what is there: what is not as it was recorded is verified again, what is corrupt is taken away. */
  open(): Promise<void>;
  /** All trees whose files are there. */
  trees(): Promise<Tree[]>;
  tree(digest: string): Promise<Tree | undefined>;
  /** Takes over the files, then makes the tree visible. What an abort leaves is gone on with. */
  publish(tree: Tree, files: readonly VerifiedFile[], signal: AbortSignal): Promise<void>;
  /** Makes the tree invisible, then drops the files that no other tree has. Reads under way end well. */
  drop(digest: string): Promise<void>;
  /** Bytes [start, end) of a file. */
  read(sha256: string, start: number, end: number): Promise<Readable>;
  /** Nothing is under way: takes away what attempts that were given up have left. */
  clear(): Promise<void>;
  /** Why nothing can be served from it now. */
  trouble(): string | undefined;
  close(): void;
}
