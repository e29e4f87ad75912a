import type { Build } from '#api/build.ts';
import type { Payload, Release } from '#api/channel-source.ts';
import type { Mirrored } from '#api/update-channel.ts';

/** Whose word counts for a mirrored release. */
export interface Trust {
  mirrored: readonly Mirrored[];
  /** Fingerprints of the keys that the channel trusts now. */
  fingerprints: ReadonlySet<string>;
}

/** The release as it may be offered, or why it may not yet. */
export type Offerable = { release: Release; waiting?: undefined } | { release?: undefined; waiting: string };

/**
 * A release of a channel with a mirror, reduced to the variants that the mirror has verified with a key that is
 * still trusted, and led to the mirror where it is kept. With none left the release waits.
 */
export function mirroredRelease(release: Release, trust: Trust): Offerable {
  const { payload, builds = [], ...rest } = release;
  const verified = payload && mirroredPayload(payload, entryOf(release, 'careen', payload.sha256, trust));
  const kept = builds.map((build) =>
    mirroredBuild(build, entryOf(release, build.architecture, digestOf(build), trust)),
  );
  const offered = kept.filter((build) => build !== undefined);
  if (verified === undefined && offered.length === 0) return { waiting: whyWaiting(release, trust) };
  return {
    release: {
      ...rest,
      ...(verified === undefined ? {} : { payload: verified }),
      ...(offered.length === 0 ? {} : { builds: offered }),
    },
  };
}

/** SHA-256 of the payload of a build, in hex. */
export function digestOf({ packages }: Build): string {
  return Buffer.from(packages[0]?.sha256 ?? '', 'base64').toString('hex');
}

function entryOf(
  { version }: Release,
  variant: Mirrored['variant'],
  digest: string | undefined,
  { mirrored, fingerprints }: Trust,
): Mirrored | undefined {
  const entry = mirrored.find((one) => one.version === version && one.variant === variant);
  const isVerified = entry?.state === 'Held' || entry?.state === 'Released';
  const isTrusted = entry?.key !== undefined && fingerprints.has(entry.key);
  const isSame = entry?.digest !== undefined && (digest === undefined || entry.digest === digest);
  return isVerified && isTrusted && isSame ? entry : undefined;
}

/** Whatever was verified is pinned by its digest. */
function mirroredPayload(payload: Payload, entry: Mirrored | undefined): Payload | undefined {
  if (entry?.digest === undefined) return undefined;
  const isHeld = entry.state === 'Held' && entry.url !== undefined;
  return { manifest: isHeld ? `${entry.url}manifest.json` : payload.manifest, sha256: entry.digest };
}

/** The mirror first; update_engine verifies by itself what it gets from elsewhere. */
function mirroredBuild(build: Build, entry: Mirrored | undefined): Build | undefined {
  if (entry === undefined) return undefined;
  if (entry.state !== 'Held' || entry.url === undefined) return build;
  return { ...build, codebases: [entry.url, ...build.codebases].slice(0, 8) };
}

function whyWaiting({ version }: Release, { mirrored }: Trust): string {
  const entries = mirrored.filter((entry) => entry.version === version);
  const failed = entries.find(({ state }) => state === 'Failed');
  if (failed !== undefined) return `${version}: ${failed.message ?? 'the mirror could not verify it'}`;
  if (entries.some(({ state }) => state === 'Fetching')) return `${version} is on its way to the mirror`;
  if (entries.length > 0)
    return `${version} was verified as another file or with a key that is not trusted any more`;
  return `${version} waits for the mirror; see that it runs (mirror.enabled)`;
}
