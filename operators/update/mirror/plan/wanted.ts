import type { Build } from '#api/build.ts';
import type { Payload, Release } from '#api/channel-source.ts';
import type { Mirrored } from '#api/update-channel.ts';
import { currentRelease, type WholeChannel } from '../../channel/read-channel.ts';
import { digestOf } from '../../channel/mirrored-release.ts';

/** A release that the mirror is to hold for one kind of machine. */
export interface WantedRelease {
  version: string;
  variant: Mirrored['variant'];
  /** SHA-256 in hex of the manifest or the first package, where it is known. */
  digest: string | undefined;
  /** Bytes, where they are known. */
  bytes: number | undefined;
  /** The lower, the sooner it is fetched and the later it is given up: 0 is what groups go to. */
  rank: number;
  from: { payload: Payload; build?: undefined } | { payload?: undefined; build: Build };
  /** Keys that may have signed it, minisign's or PEM. */
  keys: readonly string[];
}

/**
 * What the mirror holds of a channel: the newest `keep` releases that are not blocked, all floors, and what groups are
 * pinned to. The release that groups go to comes first, then floors and pins, then the rest, newest first.
 */
export function wantedReleases(
  channel: WholeChannel,
  keep: number,
  pins: ReadonlySet<string>,
): WantedRelease[] {
  const free = channel.known.filter(({ version }) => !channel.blocked.has(version));
  const newest = free.slice(0, keep).map(({ version }) => version);
  const target = currentRelease({ ...channel, releases: channel.known })?.version;
  const rankOf = ({ version, floor }: Release) =>
    version === target ? 0 : floor || pins.has(version) ? 1 : 2;
  return free
    .filter(({ version, floor }) => floor || pins.has(version) || newest.includes(version))
    .flatMap((release) =>
      variantsOf(release, channel).map((wanted) => ({ ...wanted, rank: rankOf(release) })),
    )
    .toSorted((a, b) => a.rank - b.rank);
}

function variantsOf(
  { version, payload, builds = [] }: Release,
  channel: WholeChannel,
): Omit<WantedRelease, 'rank'>[] {
  const ofBuilds = builds.map((build) => ({
    version,
    variant: build.architecture,
    digest: digestOf(build),
    bytes: build.packages.reduce((sum, { size }) => sum + size, 0),
    from: { build },
    keys: channel.updateKeys,
  }));
  if (payload === undefined) return ofBuilds;
  const ofPayload = { version, variant: 'careen' as const, digest: payload.sha256, bytes: undefined };
  return [{ ...ofPayload, from: { payload }, keys: channel.keys }, ...ofBuilds];
}
