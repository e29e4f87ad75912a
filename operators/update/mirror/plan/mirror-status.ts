import type { Mirrored } from '#api/update-channel.ts';
import { keyFingerprint } from '../../channel/trusted-key.ts';
import { treeBytes, type Tree } from '../store/tree.ts';
import { isTreeOf } from './plan-mirror.ts';
import type { WantedRelease } from './wanted.ts';

/** What the mirror knows, beside what the channel said before. */
export interface MirrorFacts {
  /** Of this channel. */
  wanted: readonly WantedRelease[];
  /** Versions that the channel knows, wanted or not. */
  known: ReadonlySet<string>;
  held: readonly Tree[];
  /** By `releaseKey`: why a release is not there. */
  failures: ReadonlyMap<string, string>;
  /** Where the mirror is reached, without a slash at the end. */
  baseURL: string;
}

/** Tells releases apart: version, variant, what must be in it and who may have signed it. */
export function releaseKey({ version, variant, digest, keys }: WantedRelease): string {
  return [version, variant, digest ?? '', ...keys.map(keyFingerprint)].join('/');
}

/** `status.mirror` of a channel. What was verified once stays so when it is dropped, as long as it is known. */
export function mirrorEntries(before: readonly Mirrored[], facts: MirrorFacts, now: string): Mirrored[] {
  const wanted = facts.wanted.map((release) => wantedEntry(release, facts));
  const isWanted = (entry: Mirrored) =>
    wanted.some(({ version, variant }) => version === entry.version && variant === entry.variant);
  const left = before
    .filter((entry) => !isWanted(entry) && facts.known.has(entry.version))
    .flatMap(leftEntry);
  return [...wanted, ...left]
    .map((entry) => sinceWhen(entry, before, now))
    .toSorted((a, b) => (a.version + a.variant < b.version + b.variant ? -1 : 1));
}

function wantedEntry(
  release: WantedRelease,
  { held, failures, baseURL }: MirrorFacts,
): Omit<Mirrored, 'since'> {
  const { version, variant } = release;
  const tree = held.find((one) => isTreeOf(one, release));
  if (tree !== undefined) {
    const { digest, key } = tree;
    const url = `${baseURL}/payloads/${digest}/`;
    return { version, variant, state: 'Held', digest, key, url, bytes: treeBytes(tree) };
  }
  const message = failures.get(releaseKey(release));
  return {
    version,
    variant,
    ...(message === undefined ? { state: 'Fetching' } : { state: 'Failed', message }),
  };
}

function leftEntry({ url: _url, ...entry }: Mirrored): Omit<Mirrored, 'since'>[] {
  return entry.state === 'Held' || entry.state === 'Released' ? [{ ...entry, state: 'Released' }] : [];
}

function sinceWhen(entry: Omit<Mirrored, 'since'>, before: readonly Mirrored[], now: string): Mirrored {
  const old = before.find(({ version, variant }) => version === entry.version && variant === entry.variant);
  return { ...entry, since: old?.state === entry.state ? old.since : now };
}
