import type { Release } from '#api/channel-source.ts';
import type { UpdateChannelSpec, UpdateChannelStatus } from '#api/update-channel.ts';
import { updateChannelSpec } from '#api/update-channel.ts';
import { compareVersions } from '#api/version.ts';
import { mirroredReleases } from './mirrored-releases.ts';
import { keyFingerprint, keyProblem, sortKeys } from './trusted-key.ts';

/** What a valid UpdateChannel says, in the form that rollouts are planned from. */
export interface Channel {
  name: string;
  /** What may be offered, newest first; no two are the same version. */
  releases: readonly Release[];
  blocked: ReadonlySet<string>;
  /** minisign public keys for manifests. */
  keys: readonly string[];
}

/** All that there is to a channel. */
export interface WholeChannel extends Channel {
  /** RSA public keys (PEM) for payloads of update_engine. */
  updateKeys: readonly string[];
  /** All releases that are known, and why those that may not be offered yet may not. */
  known: readonly Release[];
  waiting: readonly string[];
}

/** Either the channel or, in a sentence, what must be mended in the object. */
export type ChannelReading =
  { channel: WholeChannel; invalid?: undefined } | { channel?: undefined; invalid: string };

/**
 * Reads an UpdateChannel: its `spec`, and of its `status` what an upstream and the mirror said. The CRD refuses most
 * of what is wrong; what it cannot see, such as two spellings of one version, is refused here, because "the newest
 * release" would depend on chance.
 */
export function readChannel(name: string, spec: unknown, status?: UpdateChannelStatus): ChannelReading {
  const parsed = updateChannelSpec.safeParse(spec);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { invalid: `spec.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}` };
  }
  const problem = parsed.data.keys.map(keyProblem).find((words) => words !== undefined);
  if (problem !== undefined) return { invalid: `spec.keys: ${problem}` };
  const known = newestFirst(knownReleases(parsed.data, status));
  const twice = known.find((release, index) => isSameVersion(release, known[index + 1]));
  if (twice !== undefined) {
    return { invalid: `${twice.version} is declared twice in other words; keep one spelling of the version` };
  }
  const keys = sortKeys(parsed.data.keys);
  const named = { name, blocked: new Set(parsed.data.blocked), keys: keys.minisign, updateKeys: keys.pem };
  return { channel: { ...named, known, ...offerable(known, parsed.data, status) } };
}

/** The channel as nodes with the careen agent see it: what they can install, below any floor that they cannot. */
export function forAgents(channel: Channel): Channel {
  const { releases, blocked } = channel;
  const gap = releases.findLastIndex(
    ({ floor, payload, version }) => floor && payload === undefined && !blocked.has(version),
  );
  return { ...channel, releases: releases.slice(gap + 1).filter(({ payload }) => payload !== undefined) };
}

/** The release of exactly this version, if the channel has it. */
export function releaseOf(channel: Channel, version: string): Release | undefined {
  return channel.releases.find((release) => release.version === version);
}

/** The newest release that is not blocked: what unpinned groups go to. */
export function currentRelease(channel: Channel): Release | undefined {
  return channel.releases.find(({ version }) => !channel.blocked.has(version));
}

function knownReleases({ source }: UpdateChannelSpec, status: UpdateChannelStatus | undefined): Release[] {
  if (source.releases !== undefined) return source.releases;
  const wanted = source.omaha?.architectures ?? [];
  return (status?.releases ?? [])
    .map(({ version, floor, floorReason, builds = [] }) => ({
      version,
      floor,
      ...(floorReason === undefined ? {} : { floorReason }),
      builds: builds.filter(({ architecture }) => wanted.includes(architecture)),
    }))
    .filter(({ builds }) => builds.length > 0);
}

function offerable(
  known: readonly Release[],
  { mirror, keys, blocked }: UpdateChannelSpec,
  status: UpdateChannelStatus | undefined,
): Pick<WholeChannel, 'releases' | 'waiting'> {
  if (mirror === undefined) return { releases: known, waiting: [] };
  const trust = { mirrored: status?.mirror ?? [], fingerprints: new Set(keys.map(keyFingerprint)) };
  return mirroredReleases(known, new Set(blocked), trust);
}

function newestFirst(releases: readonly Release[]): Release[] {
  return releases.toSorted((a, b) => compareVersions(b.version, a.version));
}

function isSameVersion(release: Release, next: Release | undefined): boolean {
  return next !== undefined && compareVersions(release.version, next.version) === 0;
}
