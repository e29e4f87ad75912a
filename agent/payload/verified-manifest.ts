import { hash } from 'node:crypto';
import type { Fetcher } from './fetcher.ts';
import { checkFresh } from './freshness.ts';
import { MAX_MANIFEST_BYTES, parseManifest, type Manifest } from './manifest.ts';
import { MAX_SIGNATURE_BYTES, verify } from './minisign.ts';
import { PayloadError } from './payload-error.ts';

/** Which manifest is wanted, and whom to believe. */
export interface Wanted {
  /** URL of the manifest; its signature is at the same URL with `.minisig` appended. */
  manifest: string;
  /** SHA-256 of the manifest file; no other is accepted. */
  sha256?: string | undefined;
  /** minisign public keys, one of which must have signed it. */
  keys: readonly string[];
  version: string;
}

/** Fetches a manifest and verifies it before it is even parsed; throws `PayloadError`. */
export async function fetchManifest(
  fetcher: Fetcher,
  wanted: Wanted,
  now = Date.now(),
): Promise<{ manifest: Manifest; digest: string }> {
  const bytes = await fetcher.file(wanted.manifest, MAX_MANIFEST_BYTES);
  const digest = hash('sha256', bytes);
  if (wanted.sha256 !== undefined && wanted.sha256 !== digest) {
    throw new PayloadError(
      'DigestMismatch',
      `the manifest is ${digest}, not ${wanted.sha256} as the channel pins it`,
    );
  }
  const signature = await fetcher.file(`${wanted.manifest}.minisig`, MAX_SIGNATURE_BYTES);
  verify(bytes, signature.toString('utf8'), wanted.keys);
  const manifest = parseManifest(bytes);
  checkFresh(manifest, now);
  if (manifest.version !== wanted.version) {
    const message = `the payload is version ${manifest.version}, not ${wanted.version}; correct the channel's URL`;
    throw new PayloadError('VersionMismatch', message);
  }
  return { manifest, digest };
}
