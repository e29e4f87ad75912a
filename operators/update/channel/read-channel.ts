import type { Release, UpdateChannelSpec } from '#api/update-channel.ts';
import { updateChannelSpec } from '#api/update-channel.ts';
import { compareVersions } from '#api/version.ts';

/** What a valid UpdateChannel says, in the form that rollouts are planned from. */
export interface Channel {
  name: string;
  /** Newest first; no two are the same version. */
  releases: readonly Release[];
  blocked: ReadonlySet<string>;
  keys: readonly string[];
}

/** Either the channel or, in a sentence, what must be mended in the object. */
export type ChannelReading =
  { channel: Channel; invalid?: undefined } | { channel?: undefined; invalid: string };

/**
 * Reads the `spec` of an UpdateChannel. The CRD refuses most of what is wrong; what it cannot see, such as two
 * spellings of one version, is refused here, because "the newest release" would depend on chance.
 */
export function readChannel(name: string, spec: unknown): ChannelReading {
  const parsed = updateChannelSpec.safeParse(spec);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { invalid: `spec.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}` };
  }
  const releases = newestFirst(parsed.data);
  const twice = releases.find((release, index) => isSameVersion(release, releases[index + 1]));
  if (twice !== undefined) {
    return { invalid: `${twice.version} is declared twice in other words; keep one spelling of the version` };
  }
  const { blocked, keys } = parsed.data;
  return { channel: { name, releases, blocked: new Set(blocked), keys } };
}

/** The release of exactly this version, if the channel has it. */
export function releaseOf(channel: Channel, version: string): Release | undefined {
  return channel.releases.find((release) => release.version === version);
}

/** The newest release that is not blocked: what unpinned groups go to. */
export function currentRelease(channel: Channel): Release | undefined {
  return channel.releases.find(({ version }) => !channel.blocked.has(version));
}

function newestFirst(spec: UpdateChannelSpec): Release[] {
  return (spec.source.releases ?? []).toSorted((a, b) => compareVersions(b.version, a.version));
}

function isSameVersion(release: Release, next: Release | undefined): boolean {
  return next !== undefined && compareVersions(release.version, next.version) === 0;
}
