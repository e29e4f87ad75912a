import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overtakenByLeader } from './turns.ts';

const outage = (node: string, from: number) => ({ node, from, rebooted: true });
const asked = new Map([
  ['a', 1000],
  ['b', 1000],
  ['c', 5800],
]);

test("a node that waited while the leader's own node went was overtaken", () => {
  const outages = [outage('a', 6000), outage('b', 9000)];
  assert.deepEqual(overtakenByLeader({ outages, asked, leaderAt: () => 'a' }), ['b']);
});

test('nobody was overtaken when it went last of those that had asked', () => {
  const outages = [outage('b', 2000), outage('a', 6000), outage('c', 9000)];
  assert.deepEqual(overtakenByLeader({ outages, asked, leaderAt: () => 'a' }), []);
});

test('leadership that went elsewhere before the outage began does not count', () => {
  const outages = [outage('a', 6000), outage('b', 9000)];
  assert.deepEqual(overtakenByLeader({ outages, asked, leaderAt: (at) => (at < 5000 ? 'a' : 'x') }), []);
});
