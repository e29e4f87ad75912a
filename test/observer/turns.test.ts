import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TurnLog } from './turns.ts';

function turns(places: Record<string, number>): TurnLog {
  const log = new TurnLog();
  for (const [node, at] of [['a', 1000] as const, ['b', 1000] as const, ['c', 5800] as const])
    log.asks(node, at);
  const holders = Object.entries(places).map(([id, at]) => {
    return { id, uid: id, bootID: '1', since: new Date(at).toISOString(), reason: '', by: 'x' };
  });
  log.see({ status: { holders } as never });
  return log;
}

test("a node that waited while the leader's own node went was overtaken", () => {
  assert.deepEqual(
    turns({ a: 6000, b: 9000 }).overtakenByLeader(() => 'a'),
    ['b'],
  );
});

test('nobody was overtaken when it went last of those that had asked', () => {
  assert.deepEqual(
    turns({ b: 2000, a: 6000, c: 9000 }).overtakenByLeader(() => 'a'),
    [],
  );
});

test('leadership that went elsewhere before the turn began does not count', () => {
  assert.deepEqual(
    turns({ a: 6000, b: 9000 }).overtakenByLeader((at) => (at < 5000 ? 'a' : 'x')),
    [],
  );
});
