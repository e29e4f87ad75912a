import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeState } from '#api/kinds.ts';
import type { RebootReason } from '#api/reasons.ts';
import type { RebootSpec } from '../cluster/cluster.ts';
import { Holds } from './holds.ts';

const SECOND = 1000;

/** One node whose hold is written whenever it is due, looked at every second. */
function telling(hold?: { reason: RebootReason }) {
  const holds = new Holds();
  const since = new Date(0).toISOString();
  let written: RebootSpec['hold'] = hold && { ...hold, message: '', since };
  let now = 1_000_000;
  let writes = 0;
  const write = (inTurn: boolean): void => {
    const state = { metadata: { name: 'n' }, spec: { reboot: { hold: written } } } as NodeState;
    const due = holds.due(state, now, inTurn);
    if (!('hold' in due)) return;
    written = due.hold ?? undefined;
    writes += 1;
    holds.written('n', now);
  };
  /** So many seconds of saying the same. */
  const pass = (seconds: number, reason?: RebootReason, inTurn = true): void => {
    for (let second = 0; second < seconds; second++) {
      holds.say('n', reason && { reason, message: 'why' }, now);
      write(inTurn);
      now += SECOND;
    }
  };
  return {
    holds,
    pass,
    granted: () => (written = undefined),
    reason: () => written?.reason,
    writes: () => writes,
  };
}

test('a reason is written once it has lasted ten seconds, and once', () => {
  const { pass, reason, writes } = telling();
  pass(10, 'LockFull', false);
  assert.equal(reason(), undefined);
  pass(100, 'LockFull', false);
  assert.equal(reason(), 'LockFull');
  assert.equal(writes(), 1);
});

test('a hold that the next grant takes away costs no write', () => {
  const { pass, granted, writes } = telling({ reason: 'LockFull' });
  pass(1);
  pass(5, 'Draining');
  granted();
  pass(60);
  assert.equal(writes(), 0);
});

test('a hold that is no longer true is gone in seconds, in a turn and after it, also under a new leader', () => {
  for (const inTurn of [true, false]) {
    const { pass, reason, writes } = telling({ reason: 'NotBack' });
    pass(15, 'Verifying', inTurn);
    assert.equal(reason(), undefined);
    assert.equal(writes(), 1);
  }
});

test('while reasons take turns the hold is corrected all the same, and not at every turn', () => {
  const { pass, reason, writes } = telling({ reason: 'LockFull' });
  for (let round = 0; round < 12; round++) {
    pass(5, 'Draining');
    pass(5, 'DrainBlocked');
  }
  assert.match(reason() ?? '', /Drain/);
  assert(writes() <= 4, `${writes()} writes in two minutes`);
});

test('nodes that do not wait are neither counted nor remembered', () => {
  const { holds, pass } = telling();
  pass(1, 'LockFull', false);
  assert.deepEqual([...holds.counts()], [['LockFull', 1]]);
  pass(2, undefined, false);
  assert.deepEqual([...holds.counts()], []);
  assert.deepEqual(holds.names(), []);
});
