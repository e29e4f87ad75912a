import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { NodeState } from '#api/kinds.ts';
import type { NodeStateStatus, Phase } from '#api/node-state.ts';
import { Reporter } from './reporter.ts';
import { applyMergePatch } from './testing/apply-merge-patch.ts';

let writes: object[];
let failing: boolean;
let object: NodeState;
let stop: AbortController;
let reporter: Reporter;

beforeEach(() => {
  mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
  writes = [];
  failing = false;
  object = {
    apiVersion: '',
    kind: 'NodeState',
    metadata: { name: 'n', uid: 'u', resourceVersion: '9' },
    spec: {},
  };
  stop = new AbortController();
  reporter = new Reporter({ api: { patchStatus }, random: () => 0, now: Date.now });
  void reporter.run(stop.signal);
});

afterEach(() => {
  stop.abort();
  mock.timers.reset();
});

async function patchStatus(patch: object): Promise<NodeState> {
  if (failing) throw new Error('away');
  writes.push(patch);
  const resourceVersion = String(Number(object.metadata.resourceVersion) + 1);
  const status = applyMergePatch(object.status, patch) as NodeStateStatus;
  object = { ...object, metadata: { ...object.metadata, resourceVersion }, status };
  return object;
}

const status = (phase: Phase, more: Partial<NodeStateStatus['update'] & object> = {}): NodeStateStatus => ({
  bootID: 'b',
  update: { phase, since: '2026-01-01T00:00:00.000Z', ...more },
});

const progress = (bytes: number) => status('Staging', { progress: { bytes, total: 100, reused: 0 } });

/** Lets everything happen that happens within `ms`. */
async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  reporter.observe(object);
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
}

test('what was proposed is known before it is written, but not what was proposed blindly', async () => {
  reporter.propose(status('Idle'));
  const { proposed: blind } = reporter;
  assert.equal(blind, undefined, 'the object had not been seen');
  await pass(0);
  failing = true;
  reporter.propose(status('Staged'));
  await pass(0);
  assert.equal(reporter.reported?.update?.phase, 'Idle');
  assert.equal(reporter.proposed?.update?.phase, 'Staged');
});

test('news is written at once, and what did not change is not written again', async () => {
  reporter.propose(status('Staged'));
  await pass(0);
  assert.equal(writes.length, 1);
  reporter.propose(status('Staged'));
  await pass(60_000);
  assert.equal(writes.length, 1);
});

test('a phase that ends within a second is never written', async () => {
  reporter.propose(status('Staging'));
  await pass(999);
  reporter.propose(status('Staged'));
  await pass(0);
  assert.deepEqual(
    writes.map((write) => (write as NodeStateStatus).update?.phase),
    ['Staged'],
  );
});

/** Until so much is written, for 3 s of real time at most; the wall clock is the test's. */
async function written(count: number): Promise<void> {
  for (let turn = 0; turn < 150 && writes.length < count; turn += 1) await delay(20);
}

test('a wall clock that is set back does not silence the reporter', async () => {
  const ended = new AbortController();
  const own = new Reporter({ api: { patchStatus } });
  const running = own.run(ended.signal);
  own.observe(object);
  own.propose(status('Staged'));
  await written(1);
  own.propose(status('Verifying'));
  mock.timers.setTime(1);
  await written(2);
  ended.abort();
  await running;
  assert.equal(writes.length, 2);
});

test('a phase that lasts is written after a second, its progress every five', async () => {
  reporter.propose(progress(1));
  await pass(1000);
  assert.equal(writes.length, 1);
  reporter.propose(progress(2));
  await pass(4999);
  assert.equal(writes.length, 1);
  reporter.propose(progress(3));
  await pass(1);
  assert.equal(writes.length, 2);
});

test('what could not be written is written when the API server is back, the newest only', async () => {
  failing = true;
  reporter.propose(status('Staged'));
  await pass(0);
  reporter.propose(status('Succeeded'));
  await pass(100);
  failing = false;
  await pass(60_000);
  assert.deepEqual(
    writes.map((write) => (write as NodeStateStatus).update?.phase),
    ['Succeeded'],
  );
});

test('what was committed is not written over with an older wish', async () => {
  reporter.propose(status('Staged'));
  await pass(0);
  await reporter.commit(status('Rebooting'), object);
  await pass(60_000);
  assert.deepEqual(
    writes.map((write) => (write as NodeStateStatus).update?.phase),
    ['Staged', 'Rebooting'],
  );
});

test('a deleted and recreated object is filled from nothing', async () => {
  reporter.propose(status('Staged'));
  await pass(0);
  reporter.observe(undefined);
  object = { ...object, metadata: { name: 'n', uid: 'v', resourceVersion: '3' }, status: undefined as never };
  await pass(0);
  assert.equal((writes[1] as NodeStateStatus).bootID, 'b');
});

test('a watch that lags behind our own write does not have it written again', async () => {
  const old = object;
  reporter.propose(status('Staged'));
  await pass(0);
  object = old;
  await pass(100);
  assert.equal(writes.length, 1);
});

test('a change that the server does not keep is not sent for ever', async () => {
  const forgetful = new Reporter({
    api: { patchStatus: (patch) => (writes.push(patch), Promise.resolve(object)) },
  });
  void forgetful.run(stop.signal);
  forgetful.observe(object);
  forgetful.propose(status('Staged'));
  await pass(0);
  assert.equal(writes.length, 1);
});
