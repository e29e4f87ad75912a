import { join } from 'node:path';
import { FileFetcher } from '../fetch/fetch-file.ts';
import { fetchRelease } from '../fetch/fetch-release.ts';
import type { WantedRelease } from '../plan/wanted.ts';
import { DirectoryStore } from '../store/directory-store.ts';

/** Brings releases (JSON, first argument) into the store in a directory (second argument), then drops the first. */
const [wanted = '[]', directory = ''] = process.argv.slice(2);
const releases = JSON.parse(wanted) as WantedRelease[];
const store = new DirectoryStore(directory);
const fetcher = new FileFetcher({ backoffMs: 10 });
(globalThis as { countWrites?: boolean }).countWrites = true;
await store.open();
const places = { work: join(directory, 'work'), incoming: join(directory, 'incoming'), fetcher };
const digests: string[] = [];
for (const release of releases) {
  const tree = await fetchRelease(release, store, { ...places, signal: new AbortController().signal });
  digests.push(tree.digest);
}
await store.drop(digests[0] ?? '');
await fetcher.close();
