import type { Architecture } from '#api/build.ts';
import type { KnownRelease } from '#api/update-channel.ts';
import { compareVersions } from '#api/version.ts';
import type { OfferedRelease } from './read-answer.ts';

const MAX_RELEASES = 64;

/** Known releases, newest first, with what a server offers now. Too many: the oldest that is no floor goes. */
export function mergeReleases(
  known: readonly KnownRelease[],
  offered: readonly OfferedRelease[],
  now: string,
): KnownRelease[] {
  const merged = new Map(known.map((release) => [release.version, release]));
  for (const one of offered) merged.set(one.version, withOffer(merged.get(one.version), one, now));
  const sorted = [...merged.values()].toSorted((a, b) => compareVersions(b.version, a.version));
  while (sorted.length > MAX_RELEASES) {
    const oldest = sorted.findLastIndex(({ floor }) => !floor);
    sorted.splice(oldest < 1 ? sorted.length - 1 : oldest, 1);
  }
  return sorted;
}

/** Releases without the builds of one architecture; none is left that has no build. */
export function forgetArchitecture(
  known: readonly KnownRelease[],
  architecture: Architecture,
): KnownRelease[] {
  return known
    .map((release) => ({
      ...release,
      builds: release.builds?.filter((build) => build.architecture !== architecture),
    }))
    .filter(({ builds }) => builds !== undefined && builds.length > 0);
}

function withOffer(known: KnownRelease | undefined, offer: OfferedRelease, now: string): KnownRelease {
  const { version, floor, floorReason, build } = offer;
  const others = known?.builds?.filter(({ architecture }) => architecture !== build.architecture) ?? [];
  const builds = [...others, build].toSorted((a, b) => (a.architecture < b.architecture ? -1 : 1));
  const reason = floorReason ?? known?.floorReason;
  const isFloor = floor || known?.floor === true;
  return {
    version,
    floor: isFloor,
    ...(isFloor && reason !== undefined ? { floorReason: reason } : {}),
    blocked: known?.blocked ?? false,
    builds,
    since: known?.since ?? now,
  };
}
