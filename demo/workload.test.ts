import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#api/meta.ts';
import { PodLedger } from './workload.ts';

const pod = (uid: string, nodeName: string, leaving = false): Pod => ({
  metadata: { name: uid, uid, ...(leaving ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
  spec: { nodeName },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
});

test('a pod that is still on a machine when it goes down is lost, one that was leaving is not', () => {
  const ledger = new PodLedger();
  ledger.see([pod('a', 'one'), pod('b', 'two'), pod('c', 'two', true)], new Set(['two']));
  assert.deepEqual([...ledger.lost], ['b']);
  assert.equal(ledger.ready, 2);
});

test('the fewest pods that were ever ready are remembered', () => {
  const ledger = new PodLedger();
  ledger.see([pod('a', 'one'), pod('b', 'one')], new Set());
  ledger.see([pod('a', 'one'), pod('b', 'one', true)], new Set());
  ledger.see([pod('a', 'one'), pod('c', 'two')], new Set());
  assert.equal(ledger.fewestReady, 1);
});
