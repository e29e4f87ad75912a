import { join } from 'node:path';
import type { FlagValues } from '#runtime/flags/flags.ts';
import type { Log } from '#runtime/log/log.ts';
import type { Incoming } from './fetch/incoming.ts';
import { IncomingDirectory } from './fetch/incoming-directory.ts';
import type { mirrorFlags } from './mirror-flags.ts';
import { DirectoryStore } from './store/directory-store.ts';
import type { PayloadStore } from './store/payload-store.ts';

/** Where payloads are kept, and where people put them. */
export interface Places {
  store: PayloadStore;
  incoming: Incoming;
}

/** The directory, or the bucket that the flags name. */
export async function openStore(
  flags: FlagValues<typeof mirrorFlags>,
  log: Pick<Log, 'warn'>,
  corrupt: () => void,
): Promise<Places> {
  const { directory, s3Bucket } = flags;
  if (s3Bucket === undefined) {
    const incoming = new IncomingDirectory(join(directory, 'incoming'));
    return { store: new DirectoryStore(directory), incoming };
  }
  // Only now: a mirror with a directory has no need of all that.
  const { openBucketPlaces } = await import('./store/bucket/open-bucket.ts');
  return openBucketPlaces(
    {
      bucket: s3Bucket,
      prefix: flags.s3Prefix,
      region: flags.s3Region,
      endpoint: flags.s3Endpoint,
      pathStyle: flags.s3PathStyle,
      credentials: flags.s3Credentials,
      ca: flags.s3Ca,
    },
    { log, corrupt },
  );
}
