import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Release } from '#api/channel-source.ts';
import type { Mirrored } from '#api/update-channel.ts';
import { digestOf, mirroredRelease } from './mirrored-release.ts';
import { mirroredReleases } from './mirrored-releases.ts';
import { forAgents } from './read-channel.ts';

const sha256 = `${'A'.repeat(43)}=`;
const build = (architecture: 'amd64' | 'arm64') => ({
  architecture,
  codebases: ['http://up/'],
  packages: [{ name: 'a.gz', size: 1, sha256, required: true }],
});
const release: Release = {
  version: '2.0.0',
  floor: false,
  payload: { manifest: 'http://up/manifest.json' },
  builds: [build('amd64'), build('arm64')],
};
const fingerprints = new Set(['key']);
const entry = (variant: Mirrored['variant'], rest: Partial<Mirrored> = {}): Mirrored => ({
  version: '2.0.0',
  variant,
  state: 'Held',
  digest: digestOf(build('amd64')),
  key: 'key',
  url: `http://mirror/${variant}/`,
  since: '2026-01-01T00:00:00Z',
  ...rest,
});
const offer = (...mirrored: Mirrored[]) => mirroredRelease(release, { mirrored, fingerprints });

test('a release waits until the mirror has verified something of it, and says for what', () => {
  assert.match(offer().waiting ?? '', /waits for the mirror/);
  assert.match(offer(entry('amd64', { state: 'Fetching' })).waiting ?? '', /on its way/);
  assert.match(offer(entry('amd64', { state: 'Failed', message: 'hash' })).waiting ?? '', /2\.0\.0: hash/);
});

test('what is held is led to the mirror, and pinned to what was verified', () => {
  const { release: offered } = offer(entry('careen'), entry('arm64'));
  assert.deepEqual(offered?.payload, {
    manifest: 'http://mirror/careen/manifest.json',
    sha256: '0'.repeat(64),
  });
  assert.deepEqual(offered?.builds, [
    { ...build('arm64'), codebases: ['http://mirror/arm64/', 'http://up/'] },
  ]);
});

test('what was verified and is not kept any more comes from where it came from, and is still pinned', () => {
  const { release: offered } = offer(
    entry('careen', { state: 'Released' }),
    entry('amd64', { state: 'Released' }),
  );
  assert.deepEqual(offered?.payload, { manifest: 'http://up/manifest.json', sha256: '0'.repeat(64) });
  assert.deepEqual(offered?.builds, [build('amd64')]);
});

test('another file, another key or no key at all is not offered', () => {
  for (const wrong of [
    { digest: 'f'.repeat(64) },
    { key: 'gone' },
    { key: undefined },
    { digest: undefined },
  ]) {
    assert.match(offer(entry('amd64', wrong)).waiting ?? '', /another file or with a key/);
  }
  const pinned = {
    ...release,
    builds: undefined,
    payload: { manifest: 'http://up/m', sha256: 'f'.repeat(64) },
  };
  assert.ok(mirroredRelease(pinned, { mirrored: [entry('careen')], fingerprints }).waiting);
});

test('a release waits for a floor below it that is not verified yet, for each kind of machine by itself', () => {
  const floor = { ...release, floor: true };
  const next = { ...release, version: '3.0.0' };
  const offers = (blocked: string[], ...mirrored: Mirrored[]) =>
    mirroredReleases([next, floor], new Set(blocked), { mirrored, fingerprints });
  const held = (['careen', 'amd64', 'arm64'] as const).map((variant) => entry(variant, { version: '3.0.0' }));
  assert.deepEqual(offers([], ...held).releases, []);
  assert.match(offers([], ...held).waiting[0] ?? '', /3\.0\.0 waits for the floor 2\.0\.0/);
  assert.deepEqual(
    offers([], ...held, entry('arm64')).releases.map(({ builds }) =>
      builds?.map(({ architecture }) => architecture),
    ),
    [['arm64'], ['arm64']],
  );
  assert.deepEqual(
    offers(['2.0.0'], ...held).releases.map(({ version }) => version),
    ['3.0.0'],
  );
});

test('nodes with the agent are not offered what is above a floor that they cannot install', () => {
  const floor = { ...release, floor: true, payload: undefined };
  const releases = [{ ...release, version: '3.0.0' }, floor, { ...release, version: '1.0.0' }];
  const channel = { name: 'c', keys: [], blocked: new Set<string>(), releases };
  assert.deepEqual(
    forAgents(channel).releases.map(({ version }) => version),
    ['1.0.0'],
  );
  const blocked = { ...channel, blocked: new Set(['2.0.0']) };
  assert.deepEqual(
    forAgents(blocked).releases.map(({ version }) => version),
    ['3.0.0', '1.0.0'],
  );
});
