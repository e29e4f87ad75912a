import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Build, OmahaPackage } from '#api/build.ts';
import { keyFingerprint } from '../../channel/trusted-key.ts';
import { verifyCrau } from '../crau/verify-crau.ts';
import { MirrorError, type MirrorErrorCode } from '../mirror-error.ts';
import type { Fetched, FetchPlaces } from './fetch-release.ts';

/**
 * Fetches the packages of a build and verifies each: size, SHA-1 and SHA-256 as the build has them, and a signature by
 * one of `keys` within the payload, all of one key. Throws MirrorError; what is wrong is not kept.
 */
export async function fetchBuild(
  build: Build,
  version: string,
  keys: readonly string[],
  places: FetchPlaces,
): Promise<Fetched> {
  const fetched: Fetched = { files: [], paths: [], key: '', incoming: [] };
  let trusted = keys;
  for (const file of build.packages) {
    const sha256 = Buffer.from(file.sha256, 'base64').toString('hex');
    const urls = build.codebases.map((codebase) => `${codebase.replace(/\/?$/, '/')}${file.name}`);
    const path = join(places.work, sha256);
    const key = await fetchPackage(file, { version, path, urls }, trusted, places);
    trusted = [key];
    fetched.key = keyFingerprint(key);
    fetched.files.push({ name: file.name, sha256, size: file.size });
    fetched.paths.push({ path, sha256 });
    fetched.incoming.push(file.name);
  }
  return fetched;
}

/** What another address may have right. A file with the right digest is the same everywhere. */
const ELSEWHERE: readonly MirrorErrorCode[] = ['Unreachable', 'Refused', 'SizeMismatch', 'DigestMismatch'];

interface Sources {
  version: string;
  path: string;
  urls: readonly string[];
}

/** Takes what is there, or else what lies there by hand, or else the first address that has the right file. */
async function fetchPackage(
  file: OmahaPackage,
  { version, path, urls }: Sources,
  keys: readonly string[],
  { fetcher, incoming, signal }: FetchPlaces,
): Promise<string> {
  const isThere =
    (await isWhole(path, file.size)) || (await incoming.take(version, file.name, path, file.size));
  if (isThere) return verified(path, file, keys);
  let first: unknown;
  for (const url of urls) {
    try {
      await fetcher.fetch({ urls: [url], size: file.size, path }, signal);
      return await verified(path, file, keys);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof MirrorError) || !ELSEWHERE.includes(error.code)) throw error;
      if (error.code !== 'Unreachable') await rm(path, { force: true });
      first ??= error;
    }
  }
  throw first;
}

async function verified(path: string, file: OmahaPackage, keys: readonly string[]): Promise<string> {
  try {
    await checkDigests(path, file);
    return (await verifyCrau(path, keys)).key;
  } catch (error) {
    await rm(path, { force: true });
    throw error instanceof MirrorError
      ? new MirrorError(error.code, `${file.name}: ${error.message}`, error)
      : error;
  }
}

async function checkDigests(path: string, file: OmahaPackage): Promise<void> {
  const [sha1, sha256] = [createHash('sha1'), createHash('sha256')];
  for await (const part of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    sha1.update(part as Buffer);
    sha256.update(part as Buffer);
  }
  const isRight =
    sha256.digest('base64') === file.sha256 &&
    (file.sha1 === undefined || sha1.digest('base64') === file.sha1);
  if (!isRight) {
    const message = 'the file has another digest than the release says; correct one of them';
    throw new MirrorError('DigestMismatch', message);
  }
}

async function isWhole(path: string, size: number): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.size === size;
}
