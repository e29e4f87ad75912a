import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeaderLog } from './leader-log.ts';

test('a hand-over is a Lease with another holder, and a Lease without one is none', () => {
  const log = new LeaderLog();
  log.see(1, 'a', 'one');
  log.see(2, 'a', undefined);
  log.see(3, '', undefined);
  log.see(4, 'b', 'two');
  assert.equal(log.handOvers, 1);
  assert.deepEqual(
    [log.nodeAt(0), log.nodeAt(1), log.nodeAt(3), log.nodeAt(9)],
    [undefined, 'one', 'one', 'two'],
  );
});

test('the node of a leader that was seen before its pod is learned later', () => {
  const log = new LeaderLog();
  log.see(1, 'a', undefined);
  log.see(2, 'a', 'one');
  assert.equal(log.nodeAt(1), 'one');
});
