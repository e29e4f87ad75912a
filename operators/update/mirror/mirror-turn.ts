import type { NodeGroup, UpdateChannel } from '#api/kinds.ts';
import type { Mirrored } from '#api/update-channel.ts';
import { readChannel, type WholeChannel } from '../channel/read-channel.ts';
import { mirrorEntries, releaseKey } from './plan/mirror-status.ts';
import { planMirror, type MirrorPlan } from './plan/plan-mirror.ts';
import { wantedReleases, type WantedRelease } from './plan/wanted.ts';
import type { Tree } from './store/tree.ts';

/** Why a release is not there, and from when on it is tried again (ms since the epoch). */
export interface Failure {
  message: string;
  retryAt: number;
}

export interface TurnFacts {
  channels: readonly UpdateChannel[];
  groups: readonly NodeGroup[];
  held: readonly Tree[];
  /** By `releaseKey`. */
  failures: ReadonlyMap<string, Failure>;
  /** Bytes. */
  limit: number;
  baseURL: string;
  /** ms since the epoch. */
  now: number;
}

/** What the mirror does next, and what it says of each channel. */
export interface Turn extends Pick<MirrorPlan, 'drop'> {
  /** The first of what may be fetched now. */
  fetch: WantedRelease | undefined;
  statuses: { channel: UpdateChannel; entries: Mirrored[] }[];
}

interface Mirroring {
  object: UpdateChannel;
  channel: WholeChannel;
  wanted: WantedRelease[];
}

/** Decides one turn of the mirror. A channel that cannot be read keeps what it has. */
export function mirrorTurn(facts: TurnFacts): Turn {
  const read = facts.channels.map((object) => mirroring(object, facts.groups));
  const isWhole = read.every((one) => one !== 'unreadable');
  const known = read.filter((one) => one !== 'unreadable');
  const { drop, fetch, noRoom } = planMirror({ ...facts, wanted: known.flatMap(({ wanted }) => wanted) });
  const failures = new Map([...facts.failures].map(([key, { message }]) => [key, message]));
  for (const release of noRoom) {
    failures.set(
      releaseKey(release),
      'there is no room for it in the mirror; raise its size, or keep fewer releases',
    );
  }
  const held = facts.held.filter(({ digest }) => !drop.includes(digest));
  return {
    // What an unreadable channel wants is not known, so nothing is thrown away.
    drop: isWhole ? drop : [],
    fetch: fetch.find((release) => (facts.failures.get(releaseKey(release))?.retryAt ?? 0) <= facts.now),
    statuses: known.map((one) => statusOf(one, { ...facts, held }, failures)),
  };
}

function mirroring(object: UpdateChannel, groups: readonly NodeGroup[]): Mirroring | 'unreadable' {
  const { name } = object.metadata;
  const { channel } = readChannel(name, object.spec, object.status);
  if (channel === undefined) return 'unreadable';
  const { mirror } = object.spec;
  if (mirror === undefined) return { object, channel, wanted: [] };
  const pins = groups.map(({ spec }) => spec.update).filter((update) => update?.channel === name);
  const versions = pins.map((update) => update?.version).filter((version) => version !== undefined);
  return { object, channel, wanted: wantedReleases(channel, mirror.keep, new Set(versions)) };
}

function statusOf(
  { object, channel, wanted }: Mirroring,
  { held, baseURL, now }: TurnFacts,
  failures: ReadonlyMap<string, string>,
): Turn['statuses'][number] {
  const isMirrored = object.spec.mirror !== undefined;
  const known = new Set(isMirrored ? channel.known.map(({ version }) => version) : []);
  const before = object.status?.mirror ?? [];
  const facts = { wanted, known, held, failures, baseURL };
  return { channel: object, entries: mirrorEntries(before, facts, new Date(now).toISOString()) };
}
