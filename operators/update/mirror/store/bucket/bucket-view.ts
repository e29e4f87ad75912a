import { setTimeout as sleep } from 'node:timers/promises';
import type { Bucket, Listed } from './bucket.ts';
import {
  blobKey,
  BLOBS,
  MAX_TREE_BYTES,
  readBucketTree,
  treeKey,
  treeOf,
  TREES,
  type BucketTree,
} from './bucket-tree.ts';

/** A bucket that many ask for what is not there is listed no more often than this. */
const LEAST_MS = 200;

/** An object of a tree that is held. */
export interface HeldObject {
  size: number;
  etag: string;
  pieces: readonly string[];
}

/** What was in the bucket when it was listed last. */
interface Sight {
  /** All trees that could be read, by digest, with the ETag of what was read. */
  known: Map<string, { etag: string; read: BucketTree | undefined }>;
  /** Those of which every file is there as it was stored. */
  held: Map<string, BucketTree>;
  objects: Map<string, HeldObject>;
  blobs: Map<string, Listed>;
}

/** Which trees a bucket holds, from its listing: an object that was replaced or cut has another ETag or size. */
export class BucketView {
  readonly #bucket: Bucket;
  #sight: Sight = { known: new Map(), held: new Map(), objects: new Map(), blobs: new Map() };
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #begunAt = -Infinity;
  #trouble: Error | undefined = new Error('the bucket was not listed yet');

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  get sight(): Readonly<Sight> {
    return this.#sight;
  }

  /** Why the last listing failed. */
  get trouble(): Error | undefined {
    return this.#trouble;
  }

  /** Lists the bucket, after the call: a listing under way may miss what the caller knows. Throws BucketError. */
  refresh(): Promise<void> {
    this.#next ??= (this.#running ?? Promise.resolve())
      .catch(() => {}) // whoever asked for that one hears of it
      .then(() => {
        this.#next = undefined;
        this.#running = this.#look();
        return this.#running;
      });
    return this.#next;
  }

  /** A tree that is held. One that is not known may be new: then the bucket is listed. */
  async find(digest: string): Promise<BucketTree | undefined> {
    const found = this.#sight.held.get(digest);
    if (found !== undefined) return found;
    const wait = this.#begunAt + LEAST_MS - performance.now();
    if (wait > 0) await sleep(wait);
    await this.refresh();
    return this.#sight.held.get(digest);
  }

  async #look(): Promise<void> {
    this.#begunAt = performance.now();
    try {
      // Trees first: what one names was there before it.
      const trees = await this.#bucket.list(TREES);
      const blobs = new Map((await this.#bucket.list(BLOBS)).map((blob) => [blob.key, blob]));
      this.#sight = sightOf(await this.#read(trees), blobs);
      this.#trouble = undefined;
    } catch (error) {
      this.#trouble = error as Error;
      throw error;
    }
  }

  async #read(trees: readonly Listed[]): Promise<Sight['known']> {
    const known: Sight['known'] = new Map();
    for (const { key, etag } of trees) {
      const name = treeOf(key);
      const before = this.#sight.known.get(name);
      if (before?.etag === etag) known.set(name, before);
      else known.set(name, { etag, read: await this.#readOne(key, name) });
    }
    return known;
  }

  async #readOne(key: string, name: string): Promise<BucketTree | undefined> {
    if (key !== treeKey(name)) return undefined;
    const read = readBucketTree(await this.#bucket.bytes(key, MAX_TREE_BYTES));
    return read?.tree.digest === name ? read : undefined;
  }
}

function sightOf(known: Sight['known'], blobs: Sight['blobs']): Sight {
  const [held, objects]: [Sight['held'], Sight['objects']] = [new Map(), new Map()];
  for (const { read } of known.values()) {
    if (read === undefined || !isWhole(read, blobs)) continue;
    held.set(read.tree.digest, read);
    for (const [index, { sha256, size }] of read.tree.files.entries()) {
      const object = read.objects[index];
      if (object !== undefined) objects.set(sha256, { size, ...object });
    }
  }
  return { known, held, objects, blobs };
}

function isWhole({ tree, objects }: BucketTree, blobs: Sight['blobs']): boolean {
  return tree.files.every(({ sha256, size }, index) => {
    const blob = blobs.get(blobKey(sha256));
    return blob?.size === size && blob.etag === objects[index]?.etag;
  });
}
