import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handOversMs, idealMs, Ledger } from './ledger.ts';

const outage = (from: number, length: number) => ({ node: 'n', from, to: from + length, rebooted: true });
const up = { cordoned: false, ready: true };

test('the worst instant counts every node that was cordoned or NotReady at once', () => {
  const ledger = new Ledger();
  ledger.see({ node: 'a', at: 1, bootID: '1', ...up });
  ledger.see({ node: 'b', at: 1, bootID: '1', ...up });
  ledger.see({ node: 'a', at: 2, bootID: '1', cordoned: true, ready: true });
  ledger.see({ node: 'b', at: 3, bootID: '1', cordoned: false, ready: false });
  ledger.see({ node: 'a', at: 4, bootID: '2', ...up });
  assert.deepEqual(ledger.worst, { count: 2, at: 3, nodes: ['a', 'b'] });
  assert.deepEqual(ledger.unavailable(), ['b']);
  assert.deepEqual(ledger.reboots, [{ node: 'a', at: 4, bootID: '2' }]);
});

test('what failed by itself is no cordon beyond the budget, and counts when the next node is cordoned', () => {
  const ledger = new Ledger();
  for (const node of ['a', 'b', 'c']) ledger.see({ node, at: 1, bootID: '1', ...up });
  ledger.see({ node: 'a', at: 2, bootID: '1', cordoned: true, ready: true });
  ledger.see({ node: 'b', at: 3, bootID: '1', cordoned: false, ready: false });
  assert.deepEqual(ledger.worstTaken, { count: 1, at: 2, nodes: ['a'] });
  ledger.see({ node: 'c', at: 4000, bootID: '1', cordoned: true, ready: true });
  assert.deepEqual(ledger.worstTaken, { count: 3, at: 4000, nodes: ['a', 'b', 'c'] });
});

test('what failed in the very moment of a cordon could not be known to who cordons, but a cordon is', () => {
  const ledger = new Ledger();
  for (const node of ['a', 'b', 'c']) ledger.see({ node, at: 1, bootID: '1', ...up });
  ledger.see({ node: 'a', at: 1000, bootID: '1', cordoned: false, ready: false });
  ledger.see({ node: 'b', at: 1001, bootID: '1', cordoned: true, ready: true });
  assert.deepEqual(ledger.worstTaken, { count: 1, at: 1001, nodes: ['b'] });
  ledger.see({ node: 'c', at: 1002, bootID: '1', cordoned: true, ready: true });
  assert.deepEqual(ledger.worstTaken, { count: 2, at: 1002, nodes: ['b', 'c'] });
  assert.equal(ledger.worst.count, 3);
});

test('what was not watched is judged by what is seen anew, whichever node is told first', () => {
  const cordoned = { cordoned: true, ready: true };
  const ledger = new Ledger();
  for (const node of ['a', 'b', 'c']) ledger.see({ node, at: 1, bootID: '1', ...up });
  ledger.see({ node: 'c', at: 2, bootID: '1', ...cordoned });
  ledger.gap(['a', 'b', 'c']);
  ledger.see({ node: 'a', at: 9, bootID: '1', ...cordoned });
  ledger.see({ node: 'b', at: 9, bootID: '1', ...up });
  ledger.see({ node: 'c', at: 9, bootID: '2', ...up });
  assert.deepEqual([ledger.worst.count, ledger.worstTaken.count], [1, 1]);
  ledger.gap(['a', 'b', 'c']);
  ledger.see({ node: 'a', at: 12, bootID: '1', ...cordoned });
  assert.deepEqual([ledger.worst.count, ledger.worstTaken.count], [1, 1]);
  ledger.see({ node: 'b', at: 12, bootID: '1', ...cordoned });
  assert.deepEqual(ledger.worstTaken, { count: 2, at: 12, nodes: ['a', 'b'] });
  ledger.gap(['a', 'b', 'c']);
  ledger.see({ node: 'a', at: 15, bootID: '1', ...up });
  ledger.see({ node: 'b', at: 15, bootID: '1', ...cordoned });
  ledger.gap(['a', 'b', 'c']);
  ledger.see({ node: 'a', at: 18, bootID: '1', ...cordoned });
  ledger.see({ node: 'c', at: 18, bootID: '2', ...cordoned });
  ledger.see({ node: 'b', at: 18, bootID: '1', ...cordoned });
  assert.deepEqual(ledger.worstTaken, { count: 3, at: 18, nodes: ['a', 'b', 'c'] });
});

test('an outage knows whether the node came back from another boot', () => {
  const ledger = new Ledger();
  ledger.see({ node: 'a', at: 1, bootID: '1', cordoned: true, ready: true });
  ledger.see({ node: 'a', at: 2, bootID: '2', cordoned: true, ready: true });
  ledger.see({ node: 'a', at: 3, bootID: '2', ...up });
  ledger.see({ node: 'a', at: 4, bootID: '2', cordoned: true, ready: true });
  assert.deepEqual(ledger.outages, [
    { node: 'a', from: 1, to: 3, rebooted: true },
    { node: 'a', from: 4, rebooted: false },
  ]);
});

test('the ideal time packs the outages into as many places as the budget has', () => {
  assert.equal(idealMs([outage(0, 10), outage(0, 10), outage(11, 10)], 1), 30);
  assert.equal(idealMs([outage(0, 10), outage(0, 6), outage(11, 10)], 2), 16);
});

test('a hand-over lasts from a return to the outage that waited for it', () => {
  assert.deepEqual(handOversMs([outage(0, 10), outage(0, 16), outage(11, 10), outage(18, 10)], 2), [1, 2]);
});
