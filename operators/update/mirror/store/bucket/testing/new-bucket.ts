import { mkdir, mkdtemp, open, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger } from '#runtime/log/log.ts';
import type { StoreUnderTest } from '../../testing/store-tests.ts';
import type { Bucket } from '../bucket.ts';
import { BucketStore } from '../bucket-store.ts';
import { openBucket, type BucketPlace } from '../open-bucket.ts';
import type { BucketServer } from './bucket-server.ts';

/** The least that S3 takes. */
export const LEAST_PART = 5 * 1024 * 1024;

/** A store that looked by itself would find out, now and then, what a test is about to find out. */
const NEVER_LOOKS = 24 * 60 * 60_000;

const log = createLogger({ level: 'error', name: 'test' });
let buckets = 0;

/** A store in a bucket of its own. */
export interface BucketUnderTest extends StoreUnderTest {
  bucket: Bucket;
  place: BucketPlace;
  /** A store that is closed with the others. */
  again: () => Promise<BucketStore>;
  /** Changes a bit of a blob behind the server's back, which notices nothing. */
  rot: (sha256: string) => Promise<void>;
  close: () => void;
}

/** `endpoint` is that of something in between. */
export async function newBucket(
  server: BucketServer,
  root: string,
  endpoint?: string,
): Promise<BucketUnderTest> {
  const place = await server.bucket(`bucket-${(buckets += 1)}`, endpoint);
  const work = join(await mkdtemp(join(root, 'bucket-')), 'work');
  await mkdir(work);
  const stores: BucketStore[] = [];
  const again = async () => {
    const store = new BucketStore({
      bucket: await openBucket(place, 2),
      log,
      leastPart: LEAST_PART,
      lookMs: NEVER_LOOKS,
    });
    stores.push(store);
    return store;
  };
  const bucket = await openBucket(place, 2);
  return {
    store: await again(),
    bucket,
    place,
    work,
    again,
    blobs: async () => (await bucket.list('blobs/')).map(({ key }) => key.slice('blobs/'.length)).toSorted(),
    damage: async (sha256, how) => {
      const path = server.file(place.bucket, `blobs/${sha256}`);
      if (how === 'remove') await rm(path);
      else if (how === 'cut') await truncate(path, 1000);
      else await bucket.put(`blobs/${sha256}`, Buffer.alloc((await stat(path)).size, 'x'));
    },
    rot: (sha256) => rot(server.file(place.bucket, `blobs/${sha256}`)),
    close: () => {
      for (const store of stores) store.close();
      bucket.close();
    },
  };
}

async function rot(path: string): Promise<void> {
  const file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 77);
  await file.write(Buffer.of((buffer[0] ?? 0) ^ 1), 0, 1, 77);
  await file.close();
}
