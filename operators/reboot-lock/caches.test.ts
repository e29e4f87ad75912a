import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeState } from '#api/kinds.ts';
import { ourConditions } from './condition/condition.ts';
import { nodeFacts } from './lock/facts.ts';
import { stripNode, stripState } from './caches.ts';

test('what the caches keep of a Node and its NodeState leads to the same facts as the whole objects', () => {
  const node = {
    metadata: { name: 'n', uid: 'u', resourceVersion: '7', labels: { a: 'b' }, annotations: {} },
    spec: { unschedulable: true, podCIDR: '10.0.0.0/24' },
    status: {
      nodeInfo: { bootID: 'b1' },
      images: [{ names: ['x'] }],
      conditions: [
        { type: 'Ready', status: 'True' as const, lastTransitionTime: '2026-11-21T10:00:00Z' },
        { type: 'Drained', status: 'True' as const, reason: 'CareenDrained', message: 'm' },
        { type: 'MemoryPressure', status: 'False' as const },
      ],
    },
  };
  const grant = {
    id: 'g',
    nodeUID: 'u',
    bootID: 'b1',
    notAfter: '2026-11-21T10:00:00Z',
    mode: 'reboot' as const,
  };
  const since = '2026-11-21T10:00:00Z';
  const state: NodeState = {
    apiVersion: 'careen.dev/v1alpha1',
    kind: 'NodeState',
    metadata: {
      name: 'n',
      uid: 's',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u' }],
    },
    spec: {
      update: { version: '2.0.0', attempt: 3, health: { deadline: '1h', checks: [] }, group: 'g' },
      reboot: { grant, notBefore: since },
    },
    status: {
      bootID: 'b1',
      update: { phase: 'Verifying', version: '2.0.0', attempt: 3, since },
      reboot: { requested: true, kind: 'Drain', accepted: 'g', reasons: ['r'], since },
      config: { phase: 'Confirming', since },
      history: [],
    },
  };
  assert.deepEqual(ourConditions(stripNode(node)), ourConditions(node));
  assert.deepEqual(nodeFacts(stripNode(node), stripState(state), 1), nodeFacts(node, state, 1));
});
