import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#api/meta.ts';
import { PodLedger } from './workload.ts';

const pod = (uid: string, nodeName: string, leaving = false): Pod => ({
  metadata: { name: uid, uid, ...(leaving ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
  spec: { nodeName },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
});

const up = { up: true, boots: 1 };
const machines = (two: { up: boolean; boots: number }) =>
  new Map([
    ['one', up],
    ['two', two],
  ]);

test('a pod that is still on a machine when it goes down is lost, one that was leaving is not', () => {
  const ledger = new PodLedger();
  ledger.see([pod('a', 'one'), pod('b', 'two'), pod('c', 'two', true)], machines({ up: false, boots: 1 }));
  assert.deepEqual([...ledger.lost], ['b']);
  assert.equal(ledger.ready, 2);
});

test('a pod that was on a machine before and after its reboot is lost, although nobody saw the machine down', () => {
  const ledger = new PodLedger();
  ledger.see([pod('a', 'one'), pod('b', 'two'), pod('c', 'two')], machines(up));
  ledger.see([pod('a', 'one'), pod('b', 'two'), pod('c', 'two', true)], machines({ up: true, boots: 2 }));
  ledger.see([pod('d', 'two')], machines({ up: true, boots: 2 }));
  assert.deepEqual([...ledger.lost], ['b']);
});

test('a machine that goes down or comes up while the pods are read proves nothing against a pod on it', () => {
  for (const [before, after] of [
    [up, { up: false, boots: 1 }],
    [
      { up: false, boots: 1 },
      { up: true, boots: 2 },
    ],
  ] as const) {
    const ledger = new PodLedger();
    ledger.see([pod('b', 'two')], machines(before), machines(after));
    ledger.see([pod('b', 'two')], machines(after));
    assert.deepEqual([...ledger.lost], after.up ? [] : ['b'], 'only when it is still down');
  }
});

test('the fewest pods that were ever ready are remembered', () => {
  const ledger = new PodLedger();
  ledger.see([pod('a', 'one'), pod('b', 'one')], machines(up));
  ledger.see([pod('a', 'one'), pod('b', 'one', true)], machines(up));
  ledger.see([pod('a', 'one'), pod('c', 'two')], machines(up));
  assert.equal(ledger.fewestReady, 1);
});
