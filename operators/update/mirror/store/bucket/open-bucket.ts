import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import type { Places } from '../../open-store.ts';
import { Bucket } from './bucket.ts';
import { BucketStore, type BucketStoreOptions } from './bucket-store.ts';
import { IncomingBucket } from './incoming-bucket.ts';

/** Where a bucket is, and how it is reached. */
export interface BucketPlace {
  bucket: string;
  /** Keys begin with it: `careen/`. */
  prefix: string;
  region: string;
  /** Nothing: Amazon's own of the region. */
  endpoint?: string | undefined;
  /** The bucket in the path, not in the name of the host. */
  pathStyle: boolean;
  /** A directory with `access-key-id`, `secret-access-key` and perhaps `session-token`. Nothing: as Amazon's programs. */
  credentials?: string | undefined;
  /** A file of certificates in PEM that are trusted besides the usual ones. */
  ca?: string | undefined;
}

/** Many machines are served at once, each from a request of its own. */
const SOCKETS = 512;
const CONNECT_MS = 5000;
/** A machine may be slow in taking what it asked for; the payload server lets it go after two minutes. */
const IDLE_MS = 150_000;
/** Credentials are read again so often: a Secret that is changed needs no restart. */
const REREAD_MS = 60_000;

/** The store in a bucket, and what people put there. Nothing is asked yet. */
export async function openBucketPlaces(
  place: BucketPlace,
  options: Omit<BucketStoreOptions, 'bucket'>,
): Promise<Places> {
  const bucket = await openBucket(place);
  return { store: new BucketStore({ bucket, ...options }), incoming: new IncomingBucket(bucket) };
}

export async function openBucket(place: BucketPlace, attempts = 4): Promise<Bucket> {
  const { bucket, prefix, region, endpoint, credentials } = place;
  const where = `the bucket ${bucket} at ${endpoint ?? `Amazon S3 in ${region}`}`;
  const config: S3ClientConfig = {
    region,
    forcePathStyle: place.pathStyle,
    maxAttempts: attempts,
    // We name the checksums that we want; servers that do not know others must not stumble over them.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      httpAgent: new HttpAgent({ keepAlive: true, maxSockets: SOCKETS }),
      httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets: SOCKETS, ...(await trusted(place.ca)) }),
      connectionTimeout: CONNECT_MS,
      socketTimeout: IDLE_MS,
    },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials: () => readCredentials(credentials) }),
  };
  return new Bucket(new S3Client(config), bucket, prefix, where);
}

async function trusted(ca: string | undefined): Promise<{ ca?: string[] }> {
  return ca === undefined ? {} : { ca: [...rootCertificates, await readFile(ca, 'utf8')] };
}

async function readCredentials(directory: string) {
  const read = async (name: string) => (await readFile(join(directory, name), 'utf8')).trim();
  const needed = (name: string) =>
    read(name).catch((error: Error) => {
      throw Object.assign(error, { name: 'CredentialsProviderError' });
    });
  const [accessKeyId, secretAccessKey] = [await needed('access-key-id'), await needed('secret-access-key')];
  const sessionToken = await read('session-token').catch(() => undefined);
  const expiration = new Date(Date.now() + REREAD_MS);
  const all = { accessKeyId, secretAccessKey, expiration };
  return sessionToken === undefined ? all : { ...all, sessionToken };
}
