import { createWriteStream } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Incoming } from '../../fetch/incoming.ts';
import type { Bucket } from './bucket.ts';

/** Files by hand in the bucket, below `incoming/<version>/`. */
export class IncomingBucket implements Incoming {
  readonly #bucket: Bucket;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  async take(version: string, name: string, path: string, size?: number): Promise<boolean> {
    const found = await this.#bucket.know(keyOf(version, name));
    if (found === undefined || found.size === 0 || (size !== undefined && found.size !== size)) return false;
    await mkdir(dirname(path), { recursive: true });
    const body = await this.#bucket.read(keyOf(version, name), 0, found.size, found.etag);
    await this.#bucket.call(() => pipeline(body, createWriteStream(`${path}.copy`)));
    await rename(`${path}.copy`, path);
    return true;
  }

  async read(version: string, name: string, limit: number): Promise<Buffer | undefined> {
    const found = await this.#bucket.know(keyOf(version, name));
    return found !== undefined && found.size <= limit
      ? this.#bucket.bytes(keyOf(version, name), limit)
      : undefined;
  }

  remove(version: string, name: string): Promise<void> {
    return this.#bucket.remove(keyOf(version, name));
  }
}

function keyOf(version: string, name: string): string {
  return `incoming/${version}/${name}`;
}
