import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeGroupSpec } from '#api/node-group.ts';
import type { Channel } from '../channel/read-channel.ts';
import type { Assignment } from '../rollout/chain.ts';
import { desiredUpdate, groupless, sameUpdate } from './desired-update.ts';

const KEYS = [`RW${'A'.repeat(54)}`, `RW${'B'.repeat(54)}`];
const channel: Channel = {
  name: 'stable',
  blocked: new Set(),
  keys: KEYS,
  releases: [{ version: '2.0.0', floor: false, payload: { manifest: 'http://x/2.0.0' } }],
};
const policy = nodeGroupSpec.parse({ nodeSelector: {}, update: { channel: 'stable' } });
const context = { group: 'g', policy, channel, running: '1.0.0', settled: true, now: '2026-01-01T00:00:00Z' };
const offer: Assignment = {
  action: 'offer',
  version: '2.0.0',
  attempt: 1,
  verdict: { reason: 'Offered', message: '' },
};
const halted: Assignment = { action: 'withdraw', verdict: { reason: 'Halted', message: 'too many' } };
const waiting: Assignment = {
  action: 'withdraw',
  verdict: { reason: 'WaitingForWave', message: 'in wave b' },
};
const keep: Assignment = { action: 'keep', verdict: { reason: 'Offered', message: '' } };
const arrived: Assignment = {
  action: 'arrived',
  version: '2.0.0',
  verdict: { reason: 'UpToDate', message: '' },
};

test('an offer carries everything that the agent needs, and is not written twice', () => {
  const wanted = desiredUpdate({}, offer, context);
  assert.equal(wanted.payload?.manifest, 'http://x/2.0.0');
  assert.deepEqual(
    [wanted.group, wanted.channel, wanted.version, wanted.attempt],
    ['g', 'stable', '2.0.0', 1],
  );
  assert.deepEqual(wanted.keys, KEYS);
  assert.equal(wanted.health?.deadline, '10m');
  const stored = { ...structuredClone(wanted), keys: KEYS.toReversed() };
  assert.equal(desiredUpdate(stored, keep, context), stored);
});

test('a node that keeps its version hears of a changed key; one past the point of no return hears nothing', () => {
  const wanted = desiredUpdate({}, offer, context);
  const rotated = { ...context, channel: { ...channel, keys: KEYS.slice(1) } };
  assert.deepEqual(desiredUpdate(wanted, keep, rotated).keys, KEYS.slice(1));
  assert.equal(desiredUpdate(wanted, { ...keep, action: 'leave' }, rotated), wanted);
});

test('a withdrawal carries its hold at once, settled or not', () => {
  const wanted = desiredUpdate({}, offer, context);
  const withdrawn = desiredUpdate(wanted, waiting, { ...context, settled: false });
  assert.equal(withdrawn.version, undefined);
  assert.equal(withdrawn.hold?.reason, 'WaitingForWave');
});

test('a hold that has not settled is not written, and does not touch what is written', () => {
  const named = { group: 'g', channel: 'stable' };
  assert.equal(desiredUpdate(named, waiting, { ...context, settled: false }), named);
  const ran = { ...desiredUpdate({}, offer, context) };
  assert.equal(desiredUpdate(ran, waiting, { ...context, running: '2.0.0', settled: false }), ran);
  assert.equal(desiredUpdate(named, waiting, context).hold?.reason, 'WaitingForWave');
});

test('the same hold keeps its since and is not written again', () => {
  const held = desiredUpdate({}, halted, context);
  assert.equal(desiredUpdate(held, halted, { ...context, now: '2027-01-01T00:00:00Z' }), held);
  const changed: Assignment = { action: 'withdraw', verdict: { reason: 'Halted', message: 'other words' } };
  assert.equal(
    desiredUpdate(held, changed, { ...context, now: '2027-01-01T00:00:00Z' }).hold?.since,
    context.now,
  );
});

test('arriving costs no write; arriving with another wish or a hold left behind does', () => {
  const wanted = desiredUpdate({}, offer, context);
  assert.equal(desiredUpdate(wanted, arrived, context), wanted);
  const named = { group: 'g', channel: 'stable' };
  assert.equal(desiredUpdate(named, arrived, context), named);
  assert.deepEqual(desiredUpdate({ ...wanted, version: '3.0.0' }, arrived, context), {
    ...named,
    version: '2.0.0',
  });
  assert.deepEqual(desiredUpdate(desiredUpdate({}, halted, context), arrived, context), {
    ...named,
    version: '2.0.0',
  });
});

test('a node outside any group is asked nothing and says why, once', () => {
  const verdict = { reason: 'NoGroup' as const, message: 'no NodeGroup selects this node' };
  const held = groupless(desiredUpdate({}, offer, context), verdict, context.now);
  assert.deepEqual(Object.keys(held), ['hold']);
  assert.equal(groupless(held, verdict, '2027-01-01T00:00:00Z'), held);
});

test('fields that are absent and fields that are undefined are the same', () => {
  assert.ok(sameUpdate({ group: 'g', version: undefined }, { group: 'g' }));
  assert.ok(!sameUpdate({ group: 'g', attempt: 1 }, { group: 'g', attempt: 2 }));
});
