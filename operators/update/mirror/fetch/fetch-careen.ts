import { hash } from 'node:crypto';
import { open, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isChunk, unpackChunk } from '#agent/payload/chunk.ts';
import { Fetcher } from '#agent/payload/fetcher.ts';
import { MAX_MANIFEST_BYTES, parseManifest, type Manifest } from '#agent/payload/manifest.ts';
import { MAX_SIGNATURE_BYTES, verify } from '#agent/payload/minisign.ts';
import { PayloadError } from '#agent/payload/payload-error.ts';
import type { Payload } from '#api/channel-source.ts';
import { keyFingerprint } from '../../channel/trusted-key.ts';
import { MirrorError, type MirrorErrorCode } from '../mirror-error.ts';
import { fileDigest } from '../store/blob-record.ts';
import type { Fetched, FetchPlaces } from './fetch-release.ts';

/** Manifest and signature as they came. */
interface Head {
  manifest: Buffer;
  signature: Buffer;
}

/**
 * Fetches a payload of the careen agent: manifest and signature, then the blob, of which each chunk is unpacked and
 * checked. Throws MirrorError; what is wrong is not kept.
 */
export async function fetchCareen(
  payload: Payload,
  version: string,
  keys: readonly string[],
  places: FetchPlaces,
): Promise<Fetched> {
  const { incoming } = places;
  const head = await readHead(payload, version, places);
  const { manifest, key, digest } = verifiedHead(head, payload, version, keys);
  const blob = join(places.work, `${digest}.blob`);
  const last = manifest.chunks.at(-1);
  const size = last === undefined ? 0 : last.offset + last.length;
  const isThere = (await stat(blob).catch(() => undefined))?.size === size;
  if (!isThere && !(await incoming.take(version, manifest.blob, blob, size))) {
    const urls = [new URL(manifest.blob, payload.manifest).href];
    await places.fetcher.fetch({ urls, size, path: blob }, places.signal);
  }
  await checkChunks(blob, manifest);
  const paths = [
    await kept(join(places.work, `${digest}.manifest`), head.manifest),
    await kept(join(places.work, `${digest}.minisig`), head.signature),
    { path: blob, sha256: await fileDigest(blob) },
  ];
  const names = ['manifest.json', 'manifest.json.minisig', manifest.blob];
  const sizes = [head.manifest.length, head.signature.length, size];
  return {
    files: paths.map(({ sha256 }, index) => ({ name: names[index] ?? '', sha256, size: sizes[index] ?? 0 })),
    paths,
    key: keyFingerprint(key),
    incoming: names,
  };
}

async function readHead({ manifest }: Payload, version: string, places: FetchPlaces): Promise<Head> {
  const { incoming, signal } = places;
  const local = await incoming.read(version, 'manifest.json', MAX_MANIFEST_BYTES);
  const signature = await incoming.read(version, 'manifest.json.minisig', MAX_SIGNATURE_BYTES);
  if (local !== undefined && signature !== undefined) return { manifest: local, signature };
  const fetcher = new Fetcher(signal);
  try {
    return {
      manifest: await fetcher.file(manifest, MAX_MANIFEST_BYTES),
      signature: await fetcher.file(`${manifest}.minisig`, MAX_SIGNATURE_BYTES),
    };
  } catch (error) {
    throw asMirrorError(error);
  } finally {
    await fetcher.close();
  }
}

function verifiedHead(
  { manifest: bytes, signature }: Head,
  { sha256 }: Payload,
  version: string,
  keys: readonly string[],
): { manifest: Manifest; key: string; digest: string } {
  const digest = hash('sha256', bytes);
  if (sha256 !== undefined && sha256 !== digest) {
    throw new MirrorError(
      'DigestMismatch',
      `the manifest is ${digest}, not ${sha256} as the channel pins it`,
    );
  }
  const key = signer(bytes, signature.toString('utf8'), keys);
  try {
    const manifest = parseManifest(bytes);
    if (manifest.version === version) return { manifest, key, digest };
    const message = `the payload is version ${manifest.version}, not ${version}; correct the channel's URL`;
    throw new MirrorError('ManifestInvalid', message);
  } catch (error) {
    throw asMirrorError(error);
  }
}

function signer(bytes: Buffer, signature: string, keys: readonly string[]): string {
  try {
    verify(bytes, signature, keys);
    return keys.find((key) => isSignedBy(bytes, signature, key)) ?? '';
  } catch (error) {
    throw asMirrorError(error);
  }
}

function isSignedBy(bytes: Buffer, signature: string, key: string): boolean {
  try {
    verify(bytes, signature, [key]);
    return true;
  } catch {
    return false;
  }
}

async function checkChunks(path: string, manifest: Manifest): Promise<void> {
  const file = await open(path, 'r');
  try {
    for (const [index, { offset, length }] of manifest.chunks.entries()) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, offset);
      const raw = bytesRead === length ? await unpackChunk(manifest, index, buffer) : undefined;
      if (raw !== undefined && isChunk(manifest, index, raw)) continue;
      await rm(path, { force: true });
      throw new MirrorError(
        'PayloadCorrupt',
        `chunk ${index} is not what the manifest says; publish it again`,
      );
    }
  } finally {
    await file.close();
  }
}

/** In a file of its own: what was there may be in the store already. */
async function kept(path: string, bytes: Buffer): Promise<{ path: string; sha256: string }> {
  await rm(path, { force: true });
  await writeFile(path, bytes);
  return { path, sha256: hash('sha256', bytes) };
}

function asMirrorError(error: unknown): unknown {
  if (!(error instanceof PayloadError)) return error;
  const codes: Partial<Record<PayloadError['code'], MirrorErrorCode>> = {
    ManifestUnreachable: 'Unreachable',
    KeyUnknown: 'KeyUnknown',
  };
  return new MirrorError(codes[error.code] ?? 'ManifestInvalid', error.message, error);
}
