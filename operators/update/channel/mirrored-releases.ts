import type { Release } from '#api/channel-source.ts';
import type { Mirrored } from '#api/update-channel.ts';
import { mirroredRelease, type Trust } from './mirrored-release.ts';

/**
 * The releases of a channel with a mirror that may be offered, newest first as `known` is, and why others may not. A
 * release waits for every floor below it, for each kind of machine by itself: a floor that is not there yet must not be
 * stepped over.
 */
export function mirroredReleases(
  known: readonly Release[],
  blocked: ReadonlySet<string>,
  trust: Trust,
): { releases: Release[]; waiting: string[] } {
  const releases: Release[] = [];
  const waiting: string[] = [];
  const gaps = new Map<Mirrored['variant'], string>();
  for (const release of known.toReversed()) {
    const offer = mirroredRelease(release, trust);
    const above = offer.release === undefined ? undefined : without(offer.release, new Set(gaps.keys()));
    if (above !== undefined) releases.unshift(above);
    else
      waiting.unshift(
        offer.waiting ?? `${release.version} waits for the floor ${[...gaps.values()][0] ?? ''}`,
      );
    if (!release.floor || blocked.has(release.version)) continue;
    const there = above === undefined ? [] : variantsOf(above);
    for (const variant of variantsOf(release)) {
      if (!there.includes(variant) && !gaps.has(variant)) gaps.set(variant, release.version);
    }
  }
  return { releases, waiting };
}

function variantsOf({ payload, builds = [] }: Release): Mirrored['variant'][] {
  return [
    ...(payload === undefined ? [] : ['careen' as const]),
    ...builds.map(({ architecture }) => architecture),
  ];
}

/** The release without these variants; nothing when none is left. */
function without({ payload, builds = [], ...rest }: Release, gone: ReadonlySet<string>): Release | undefined {
  const left = builds.filter(({ architecture }) => !gone.has(architecture));
  const hasPayload = payload !== undefined && !gone.has('careen');
  if (!hasPayload && left.length === 0) return undefined;
  return { ...rest, ...(hasPayload ? { payload } : {}), ...(left.length === 0 ? {} : { builds: left }) };
}
