import { hash } from 'node:crypto';
import type { WantedRelease } from '../plan/wanted.ts';
import type { PayloadStore, VerifiedFile } from '../store/payload-store.ts';
import type { Tree, TreeFile } from '../store/tree.ts';
import { fetchBuild } from './fetch-build.ts';
import { fetchCareen } from './fetch-careen.ts';
import type { FileFetcher } from './fetch-file.ts';
import type { Incoming } from './incoming.ts';

/** Where files grow, and where people put them. */
export interface FetchPlaces {
  work: string;
  incoming: Incoming;
  fetcher: FileFetcher;
  signal: AbortSignal;
}

/** Verified files on this machine. */
export interface Fetched {
  files: TreeFile[];
  /** In the same order. */
  paths: VerifiedFile[];
  /** Fingerprint of the key that signed them. */
  key: string;
  /** What people may have put there; not needed any more once it is published. */
  incoming: string[];
}

/** Fetches a release, verifies it and makes it visible in the store. Throws MirrorError. */
export async function fetchRelease(
  release: WantedRelease,
  store: PayloadStore,
  places: FetchPlaces,
): Promise<Tree> {
  const { version, variant, from, keys } = release;
  const fetched =
    from.build === undefined
      ? await fetchCareen(from.payload, version, keys, places)
      : await fetchBuild(from.build, version, keys, places);
  const digest = fetched.files[0]?.sha256 ?? hash('sha256', '');
  const tree: Tree = { digest, version, variant, key: fetched.key, files: fetched.files };
  await store.publish(tree, fetched.paths, places.signal);
  for (const name of fetched.incoming) await places.incoming.remove(version, name);
  return tree;
}
