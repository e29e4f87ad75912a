import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import type { Log } from '#runtime/log/log.ts';
import type { PayloadStore, VerifiedFile } from '../payload-store.ts';
import { isDigest, type Tree } from '../tree.ts';
import type { Bucket } from './bucket.ts';
import { foundIn, isBucketError } from './bucket-error.ts';
import { blobKey, blobOf, BLOBS, treeKey, type BucketTree } from './bucket-tree.ts';
import { BucketView } from './bucket-view.ts';
import { checkedPieces } from './checked-pieces.ts';
import { PIECE_BYTES } from './file-digests.ts';
import { Multipart } from './multipart.ts';
import { uploadFile, type Uploaded } from './upload-file.ts';

/** Other replicas hear of a new tree when they are asked for it, and of one that is gone after this time. */
const LOOK_MS = 10_000;
/** An upload is gone on with for so long. */
const STALE_UPLOAD_MS = 24 * 60 * 60_000;

export interface BucketStoreOptions {
  bucket: Bucket;
  log: Pick<Log, 'warn'>;
  /** Told when the bucket gave other bytes than were stored. */
  corrupt?: (() => void) | undefined;
  /** Bytes of a part, at the least. */
  leastPart?: number | undefined;
  /** How often it looks by itself at what the bucket holds, in ms. */
  lookMs?: number | undefined;
}

/**
 * Payloads in a bucket: `blobs/<SHA-256>`, and `trees/<digest>.json` that names them and comes after them. One replica
 * writes, all serve. Everything that is read is compared with what was stored, piece by piece, before it is let through.
 */
export class BucketStore implements PayloadStore {
  readonly isShared = true;
  readonly #bucket: Bucket;
  readonly #options: BucketStoreOptions;
  readonly #multipart: Multipart;
  readonly #view: BucketView;
  readonly #timer: NodeJS.Timeout;
  /** Blobs of trees that are about to be published. */
  readonly #coming = new Set<string>();

  constructor(options: BucketStoreOptions) {
    this.#options = options;
    this.#bucket = options.bucket;
    this.#multipart = new Multipart(this.#bucket);
    this.#view = new BucketView(this.#bucket);
    const look = () => void this.#view.refresh().catch(() => {}); // `trouble` tells
    this.#timer = setInterval(look, options.lookMs ?? LOOK_MS).unref();
    look();
  }

  async open(): Promise<void> {
    await this.#view.refresh();
    const { known, held } = this.#view.sight;
    for (const [name, { read }] of known) {
      if (held.has(name)) continue;
      const renewed = read && (await this.#verified(read));
      if (renewed === undefined) await this.#bucket.remove(treeKey(name));
      else await this.#bucket.put(treeKey(name), jsonOf(renewed));
    }
    await this.#sweepUploads(Date.now() - STALE_UPLOAD_MS);
    await this.#dropUnused();
  }

  async trees(): Promise<Tree[]> {
    await this.#view.refresh();
    return [...this.#view.sight.held.values()].map(({ tree }) => tree);
  }

  async tree(digest: string): Promise<Tree | undefined> {
    return isDigest(digest) ? (await this.#view.find(digest))?.tree : undefined;
  }

  async publish(tree: Tree, files: readonly VerifiedFile[], signal: AbortSignal): Promise<void> {
    for (const { sha256 } of tree.files) this.#coming.add(sha256);
    try {
      const objects: Uploaded[] = [];
      for (const { sha256, size } of tree.files) {
        const path = files.find((file) => file.sha256 === sha256)?.path ?? '';
        const file = { path, sha256, size };
        objects.push(await uploadFile(this.#bucket, blobKey(sha256), file, signal, this.#options.leastPart));
      }
      await this.#bucket.put(treeKey(tree.digest), jsonOf({ tree, objects }));
      await this.#view.refresh();
      if (!this.#view.sight.held.has(tree.digest)) {
        throw foundIn('Changed', this.#bucket.where, `another program changed ${tree.digest}`);
      }
    } finally {
      for (const { sha256 } of tree.files) this.#coming.delete(sha256);
    }
    for (const { path } of files) await rm(path, { force: true });
  }

  async drop(digest: string): Promise<void> {
    await this.#bucket.remove(treeKey(digest));
    await this.#dropUnused();
  }

  async read(sha256: string, start: number, end: number): Promise<Readable> {
    const object = this.#view.sight.objects.get(sha256);
    if (object === undefined) throw foundIn('Missing', this.#bucket.where, sha256);
    const index = Math.floor(start / PIECE_BYTES);
    const from = index * PIECE_BYTES;
    const to = Math.min(Math.ceil(end / PIECE_BYTES) * PIECE_BYTES, object.size);
    const body = await this.#bucket.read(blobKey(sha256), from, to, object.etag).catch((error: unknown) => {
      if (isBucketError(error, 'Missing', 'Changed')) void this.#view.refresh().catch(() => {}); // what is not there is not offered any more
      throw error;
    });
    const wanted = { pieces: object.pieces, index, skip: start - from, length: end - start };
    return pipeline(
      body,
      checkedPieces(wanted, () => this.#takeAway(sha256)),
      () => {}, // the reader hears of it
    );
  }

  async clear(): Promise<void> {
    await this.#sweepUploads(Infinity);
  }

  trouble(): string | undefined {
    return this.#view.trouble?.message;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#bucket.close();
  }

  /** An object that is not what it was: without it its trees are not held, and are fetched again. */
  #takeAway(sha256: string): Error {
    const error = foundIn('Corrupt', this.#bucket.where, sha256);
    this.#options.corrupt?.();
    this.#options.log.warn('a payload in the bucket is corrupt', { error });
    this.#bucket
      .remove(blobKey(sha256))
      .then(() => this.#view.refresh())
      .catch((failure: unknown) =>
        this.#options.log.warn('cannot take away a corrupt payload', { error: failure }),
      );
    return error;
  }

  /** The same tree with the ETags of now, if its files are what they were: a bucket that was copied has others. */
  async #verified({ tree, objects }: BucketTree): Promise<BucketTree | undefined> {
    const renewed: BucketTree = { tree, objects: [] };
    for (const [index, { sha256, size }] of tree.files.entries()) {
      const blob = this.#view.sight.blobs.get(blobKey(sha256));
      const object = objects[index];
      if (blob?.size !== size || object === undefined || !(await this.#isRight(blob.key, size, sha256))) {
        return undefined;
      }
      renewed.objects.push({ ...object, etag: blob.etag });
    }
    return renewed;
  }

  async #isRight(key: string, size: number, sha256: string): Promise<boolean> {
    const digest = createHash('sha256');
    const body = await this.#bucket.read(key, 0, size);
    return this.#bucket.call(async () => {
      for await (const part of body) digest.update(part as Buffer);
      return digest.digest('hex') === sha256;
    });
  }

  async #dropUnused(): Promise<void> {
    await this.#view.refresh();
    for (const key of this.#view.sight.blobs.keys()) {
      const name = blobOf(key);
      // Looked at anew for each: a tree may be published meanwhile.
      const isUsed = this.#view.sight.objects.has(name) || this.#coming.has(name);
      if (!isUsed) await this.#bucket.remove(key);
    }
  }

  async #sweepUploads(before: number): Promise<void> {
    for (const upload of await this.#multipart.begun(BLOBS)) {
      if (upload.begunAt < before && !this.#coming.has(blobOf(upload.key))) {
        await this.#multipart.abort(upload);
      }
    }
  }
}

function jsonOf(tree: BucketTree): Buffer {
  return Buffer.from(JSON.stringify(tree));
}
