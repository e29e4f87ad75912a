import { join } from 'node:path';
import { createLogger } from '#runtime/log/log.ts';
import { FileFetcher } from '../fetch/fetch-file.ts';
import { IncomingDirectory } from '../fetch/incoming-directory.ts';
import { fetchRelease } from '../fetch/fetch-release.ts';
import type { WantedRelease } from '../plan/wanted.ts';
import { BucketStore } from '../store/bucket/bucket-store.ts';
import { openBucket, type BucketPlace } from '../store/bucket/open-bucket.ts';
import { DirectoryStore } from '../store/directory-store.ts';

/**
 * Brings releases (JSON, first argument) into the store in a directory (second argument), or in a bucket (JSON, third
 * argument), then drops the first.
 */
const [wanted = '[]', directory = '', bucket] = process.argv.slice(2);
const releases = JSON.parse(wanted) as WantedRelease[];
const store = bucket === undefined ? new DirectoryStore(directory) : await inBucket(bucket);
const fetcher = new FileFetcher({ backoffMs: 10 });
(globalThis as { countWrites?: boolean }).countWrites = true;
await store.open();
const places = {
  work: join(directory, 'work'),
  incoming: new IncomingDirectory(join(directory, 'incoming')),
  fetcher,
};
const digests: string[] = [];
for (const release of releases) {
  const tree = await fetchRelease(release, store, { ...places, signal: new AbortController().signal });
  digests.push(tree.digest);
}
await store.drop(digests[0] ?? '');
await fetcher.close();
store.close();

async function inBucket(place: string): Promise<BucketStore> {
  const log = createLogger({ level: 'error', name: 'fetch' });
  const opened = await openBucket(JSON.parse(place) as BucketPlace);
  return new BucketStore({ bucket: opened, log, leastPart: 5 * 1024 * 1024 });
}
