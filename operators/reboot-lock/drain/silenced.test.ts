import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drainPolicy } from '#api/node-group.ts';
import type { NodeCondition, Pod } from '#api/meta.ts';
import { planDrain, type Attempt } from './plan.ts';
import { silencedSince } from './silenced.ts';

const NOW = Date.parse('2026-11-21T10:00:00Z');

interface Case {
  ready?: NodeCondition['status'];
  containers?: NodeCondition['status'];
  /** How long ago Ready changed. */
  agoMs?: number;
  gate?: NodeCondition['status'];
  phase?: string;
}

/** As the node controller leaves it, unless told. */
function pod({ ready = 'False', containers = 'True', agoMs = 2000, gate, phase = 'Running' }: Case): Pod {
  const lastTransitionTime = new Date(NOW - agoMs).toISOString();
  const gates = gate === undefined ? [] : [{ type: 'example.com/gate', status: gate }];
  return {
    metadata: {
      name: 'p',
      namespace: 'ns',
      uid: 'u',
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'r', controller: true }],
    },
    spec: { readinessGates: gates.map(({ type }) => ({ conditionType: type })) },
    status: {
      phase,
      conditions: [
        { type: 'Ready', status: ready, lastTransitionTime },
        { type: 'ContainersReady', status: containers },
        ...gates,
      ],
    },
  };
}

const CASES: [string, Case, boolean][] = [
  ['a pod that was marked while its node was silent is waited for', {}, true],
  ['so is one whose gates are open', { gate: 'True' }, true],
  ['and one that was marked by a clock that is ahead of ours', { agoMs: -5000 }, true],
  ['a pod that is Ready is not', { ready: 'True' }, false],
  ['nor one whose containers are not ready', { containers: 'False' }, false],
  ['nor one with a gate that is closed', { gate: 'False' }, false],
  ['nor one of which its kubelet has said nothing else in a minute', { agoMs: 60_000 }, false],
  ['nor one that has ended', { phase: 'Failed' }, false],
];

for (const [name, what, waits] of CASES) {
  test(name, () => assert.equal(silencedSince(pod(what), NOW) !== undefined, waits));
}

function plan(what: Case, { attempts = new Map<string, Attempt>(), force = false } = {}) {
  const policy = drainPolicy.parse({});
  return planDrain({ pods: [pod(what)], policy, missing: new Set(), attempts, now: NOW, force });
}

test('a drain does not evict it, is not done, and says what it waits for', () => {
  const { evict, done, blocked } = plan({});
  assert.deepEqual([evict.length, done, blocked?.since], [0, false, NOW - 2000]);
  assert.match(blocked?.message ?? '', /^pod ns\/p was not heard of while its node was silent/);
  assert.equal(plan({ agoMs: 60_000 }).evict.length, 1);
});

test('its budget is still what is named once the budget has refused it, and Force takes it all the same', () => {
  const attempts = new Map([['u', { since: NOW - 9000, notBefore: NOW - 1, why: 'its budget' }]]);
  const { evict, blocked } = plan({}, { attempts });
  assert.deepEqual([evict.length, blocked?.message], [0, 'pod ns/p cannot leave: its budget']);
  assert.equal(plan({}, { force: true }).evict.length, 1);
});
