import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drainPolicy } from '#api/node-group.ts';
import type { Pod } from '#api/meta.ts';
import { KubeError } from '#runtime/client/error.ts';
import { treatment } from './filter.ts';
import { planDrain, type Attempt } from './plan.ts';
import { readRefusal } from './refusal.ts';

const NOW = Date.parse('2026-11-21T10:00:00Z');
const NONE = new Set<string>();

function pod(owner: string | undefined, rest: Partial<Pod> & { meta?: Partial<Pod['metadata']> } = {}): Pod {
  const { meta, ...fields } = rest;
  const ownerReferences =
    owner === undefined
      ? []
      : [{ apiVersion: 'apps/v1', kind: owner, name: 'o', uid: 'o', controller: true }];
  return { metadata: { name: 'p', namespace: 'ns', uid: 'u', ownerReferences, ...meta }, ...fields };
}

const emptyDir = { spec: { volumes: [{ name: 'v', emptyDir: {} }] } };
const leaving = { meta: { deletionTimestamp: '2026-11-21T09:59:59Z' } };
const cases: [string, Pod, object, string][] = [
  ['a pod of a ReplicaSet is evicted', pod('ReplicaSet'), {}, 'evict'],
  ['a pod of a DaemonSet stays', pod('DaemonSet'), {}, 'stay'],
  [
    'a finished pod of a DaemonSet is removed',
    pod('DaemonSet', { status: { phase: 'Failed' } }),
    {},
    'evict',
  ],
  [
    'a static pod stays',
    pod(undefined, { meta: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }),
    {},
    'stay',
  ],
  [
    'a finished pod is always removed',
    pod(undefined, { status: { phase: 'Succeeded' }, ...emptyDir }),
    { deleteEmptyDirData: false },
    'evict',
  ],
  ['emptyDir data is given up by default', pod('ReplicaSet', emptyDir), {}, 'evict'],
  [
    'emptyDir data blocks if it is to be kept',
    pod('ReplicaSet', emptyDir),
    { deleteEmptyDirData: false },
    'refused',
  ],
  ['a pod without a controller blocks', pod(undefined), {}, 'refused'],
  ['a pod without a controller goes with force', pod(undefined), { force: true }, 'evict'],
  [
    'an excluded pod stays',
    pod('ReplicaSet', { meta: { labels: { keep: 'me' } } }),
    { skipPodSelector: { matchLabels: { keep: 'me' } } },
    'stay',
  ],
  ['a pod on its way out is waited for', pod(undefined, leaving), {}, 'leaving'],
];

for (const [name, what, policy, expected] of cases) {
  test(name, () =>
    assert.deepEqual(Object.keys(treatment(what, drainPolicy.parse(policy), NONE)), [expected]),
  );
}

test('a pod of a DaemonSet that does not exist blocks, and goes with force', () => {
  const missing = new Set(['ns/o']);
  assert.ok('refused' in treatment(pod('DaemonSet'), drainPolicy.parse({}), missing));
  assert.ok('evict' in treatment(pod('DaemonSet'), drainPolicy.parse({ force: true }), missing));
});

function plan(pods: Pod[], { attempts = new Map<string, Attempt>(), force = false } = {}) {
  return planDrain({ pods, policy: drainPolicy.parse({}), missing: NONE, attempts, now: NOW, force });
}

test('a refused pod is not asked again before its time, and is what the drain is blocked by', () => {
  const attempts = new Map([
    ['u', { since: NOW - 60_000, notBefore: NOW + 1, why: 'PodDisruptionBudget ns/b needs 3' }],
  ]);
  const { evict, blocked, done } = plan([pod('ReplicaSet')], { attempts });
  assert.deepEqual([evict.length, done, blocked?.since], [0, false, NOW - 60_000]);
  assert.equal(blocked?.message, 'pod ns/p cannot leave: PodDisruptionBudget ns/b needs 3');
  assert.equal(plan([pod('ReplicaSet')], { attempts, force: true }).evict.length, 1);
});

test('a pod long past its grace period names what holds it', () => {
  const meta = { deletionTimestamp: '2026-11-21T09:50:00Z', finalizers: ['example.com/f'] };
  assert.match(
    plan([pod('ReplicaSet', { meta })]).blocked?.message ?? '',
    /ns\/p was told to end and has finalizers example.com\/f/,
  );
});

test('a drain is done when only what may stay is left', () => {
  assert.equal(plan([pod('DaemonSet')]).done, true);
  assert.equal(plan([pod('DaemonSet'), pod('ReplicaSet', leaving)]).done, false);
});

function refusal(code: KubeError['code'], status: number, fields: object = {}) {
  return readRefusal(new KubeError('words', { code, status, ...fields }));
}

test('answers to an eviction: gone, blocked by a named budget, or worth another try', () => {
  const causes = [
    {
      reason: 'DisruptionBudget',
      message: 'The disruption budget web needs 3 healthy pods and has 3 currently',
    },
  ];
  assert.deepEqual(refusal('NotFound', 404), { gone: true });
  assert.deepEqual(refusal('Conflict', 409), { gone: true });
  assert.deepEqual(refusal('TooManyRequests', 429, { causes }), {
    blocked: 'PodDisruptionBudget web needs 3 healthy pods and has 3 currently',
    retryMs: 5000,
    soon: true,
  });
  assert.deepEqual(refusal('TooManyRequests', 429, { causes, retryAfterMs: 10_000 }), {
    blocked: 'PodDisruptionBudget web needs 3 healthy pods and has 3 currently',
    retryMs: 10_000,
    soon: false,
  });
  assert.deepEqual(refusal('Internal', 500), { blocked: 'words', retryMs: 30_000, soon: false });
  const unavailable = { blocked: 'words', retryMs: 1000, soon: false };
  assert.deepEqual(refusal('Unavailable', 503, { retryAfterMs: 1000 }), unavailable);
  assert.deepEqual(refusal('Forbidden', 403, { causes: [{ reason: 'NamespaceTerminating' }] }), {
    blocked: 'its namespace is being deleted',
    retryMs: 5000,
    soon: false,
  });
});
