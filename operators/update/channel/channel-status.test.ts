import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UpdateChannel } from '#api/kinds.ts';
import { updateChannelSpec } from '#api/update-channel.ts';
import { channelStatus } from './channel-status.ts';

const KEY = `RW${'A'.repeat(54)}`;
const NOW = '2026-01-01T00:00:00Z';
const LATER = '2026-01-02T00:00:00Z';

function channel(versions: string[], blocked: string[] = [], generation = 1): UpdateChannel {
  const releases = versions.map((version) => ({ version, payload: { manifest: 'http://x/m.json' } }));
  const spec = updateChannelSpec.parse({ keys: [KEY], source: { releases }, blocked });
  return {
    apiVersion: 'careen.dev/v1alpha1',
    kind: 'UpdateChannel',
    metadata: { name: 'c', generation },
    spec,
  };
}

test('releases are told newest first, and the newest that is not blocked is current', () => {
  const status = channelStatus(channel(['1.0.0', '1.10.0', '1.9.0'], ['1.10.0']), NOW);
  assert.equal(status.current, '1.9.0');
  assert.deepEqual(
    status.releases?.map(({ version }) => version),
    ['1.10.0', '1.9.0', '1.0.0'],
  );
  assert.equal(status.releases?.[0]?.blocked, true);
  assert.equal(status.conditions?.[0]?.status, 'True');
});

test('without a release to offer the channel is well and says that it has none', () => {
  const status = channelStatus(channel(['1.0.0'], ['1.0.0']), NOW);
  assert.equal(status.current, undefined);
  assert.equal(status.conditions?.[0]?.reason, 'NoUsableRelease');
});

test('reading the same generation again changes nothing; a new one moves lastSync', () => {
  const first = channelStatus(channel(['1.0.0']), NOW);
  assert.deepEqual(channelStatus({ ...channel(['1.0.0']), status: first }, LATER), first);
  assert.equal(channelStatus({ ...channel(['1.0.0'], [], 2), status: first }, LATER).lastSync, LATER);
});

test('an object that cannot be read is stalled, says where, and keeps what was known', () => {
  const known = channelStatus(channel(['1.0.0']), NOW);
  const twice = { ...channel(['2.0', '2.0.0'], [], 2), status: known };
  const status = channelStatus(twice, LATER);
  assert.equal(status.current, '1.0.0');
  assert.equal(status.lastSync, NOW);
  const stalled = status.conditions?.find(({ type }) => type === 'Stalled');
  assert.match(stalled?.message ?? '', /declared twice/);
  const broken = { ...channel([], [], 3), spec: { keys: [] } as never };
  assert.match(channelStatus(broken, LATER).conditions?.[0]?.message ?? '', /spec\.source/);
});
