import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { drainPolicy } from '#api/node-group.ts';
import type { Pod } from '#api/meta.ts';
import { PATIENCE_MS, standbyOf, toleratesCordon, type Standby } from './crew.ts';
import { planDrain, type Attempt } from './plan.ts';

const NOW = Date.parse('2026-11-21T10:00:00Z');
const SELF = { namespace: 'careen-system', pod: 'lock-a' };

function operator(name: string, node?: string, { ready = true, part = 'careen-reboot-lock' } = {}): Pod {
  const labels = { 'app.kubernetes.io/part-of': 'careen', 'app.kubernetes.io/name': part };
  const ownerReferences = [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'r', controller: true },
  ];
  return {
    metadata: { name, namespace: SELF.namespace, uid: name, labels, ownerReferences },
    spec: node === undefined ? {} : { nodeName: node },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

const own = operator('lock-a', 'n0');
const sibling = operator('lock-b', 'n0');
const update = operator('update-a', 'n0', { part: 'careen-update' });
const shop: Pod = {
  ...operator('shop', 'n0'),
  metadata: { ...own.metadata, namespace: 'shop', name: 'shop', uid: 'shop' },
};

interface Case {
  attempts?: [Pod, number][];
  standby?: Standby;
  crewSince?: number;
}

function plan(pods: Pod[], { attempts = [], ...rest }: Case = {}) {
  const refused = new Map<string, Attempt>(
    attempts.map(([pod, since]) => [pod.metadata.uid ?? '', { since, notBefore: NOW + 1, why: 'budget' }]),
  );
  const { done, evict, lift } = planDrain({
    pods,
    policy: drainPolicy.parse({}),
    missing: new Set(),
    attempts: refused,
    now: NOW,
    force: false,
    self: SELF,
    ...rest,
  });
  return { done, evict: evict.map(({ metadata }) => metadata.name), lift: lift === true };
}

const LONG_AGO = NOW - PATIENCE_MS;

test('the operator evicts everything else before itself', () => {
  assert.deepEqual(plan([own, sibling, update, shop], { standby: 'ready' }).evict, [
    'lock-b',
    'update-a',
    'shop',
  ]);
  assert.deepEqual(plan([own, sibling], { standby: 'ready' }).evict, ['lock-b']);
  const leaving = {
    ...sibling,
    metadata: { ...sibling.metadata, deletionTimestamp: '2026-11-21T10:00:00Z' },
  };
  assert.deepEqual(plan([own, leaving], { standby: 'ready' }).evict, []);
});

test('it evicts itself last, when another replica can take over, and the drain is not done before it is gone', () => {
  assert.deepEqual(plan([own], { standby: 'ready' }), { done: false, evict: ['lock-a'], lift: false });
});

test('it waits a while for a replica that is on its way, then stays', () => {
  const waits = { done: false, evict: [], lift: false };
  for (const standby of ['coming', 'nowhere'] as const) {
    assert.deepEqual(plan([own], { standby, crewSince: NOW - 1000 }), waits);
    assert.equal(plan([own], { standby, crewSince: LONG_AGO }).done, true);
  }
});

test('the only replica stays at once, and its node is not kept cordoned through the reboot', () => {
  assert.deepEqual(plan([own], { standby: 'none', crewSince: NOW }), { done: true, evict: [], lift: true });
  assert.equal(plan([own], { standby: 'nowhere', crewSince: LONG_AGO }).lift, true);
  assert.equal(
    plan([own], { standby: 'coming', crewSince: LONG_AGO }).lift,
    false,
    'the other one will lift it',
  );
});

test('a replica that may be scheduled on a cordoned node needs no lifted cordon', () => {
  const key = 'node.kubernetes.io/unschedulable';
  for (const toleration of [
    { key, operator: 'Exists' },
    { operator: 'Exists' },
    { key, effect: 'NoSchedule' },
  ]) {
    const tolerant = { ...own, spec: { ...own.spec, tolerations: [toleration] } };
    assert.equal(toleratesCordon(tolerant), true);
    assert.deepEqual(plan([tolerant], { standby: 'none' }), { done: true, evict: [], lift: false });
  }
  assert.equal(toleratesCordon({ ...own, spec: { tolerations: [{ key, effect: 'NoExecute' }] } }), false);
});

test('an operator whose budget keeps it on the node goes down with it after a while; nothing else does', () => {
  const attempts: [Pod, number][] = [[update, LONG_AGO]];
  assert.equal(plan([update], { attempts, crewSince: NOW - 1000 }).done, false);
  assert.equal(plan([update], { attempts, crewSince: LONG_AGO }).done, true);
  assert.equal(
    plan([update, shop], { attempts: [...attempts, [shop, LONG_AGO]], crewSince: LONG_AGO }).done,
    false,
  );
});

test('its own eviction that is refused for long is no deadlock either', () => {
  assert.equal(plan([own], { standby: 'ready', attempts: [[own, NOW - 1000]] }).done, false);
  assert.equal(plan([own], { standby: 'ready', attempts: [[own, LONG_AGO]] }).done, true);
});

const held = (node: string) => node === 'n9';

const found = (...crew: Pod[]) => standbyOf(own, [own, update, ...crew], held);

test('who could take over: Ready, elsewhere, not about to go down itself, not ended', () => {
  assert.equal(found(), 'none');
  assert.equal(found(operator('lock-b')), 'nowhere');
  assert.equal(found(sibling), 'nowhere');
  assert.equal(found(operator('lock-b', 'n1', { ready: false })), 'coming');
  assert.equal(found(operator('lock-b', 'n9')), 'coming');
  assert.equal(found(operator('lock-b', 'n1')), 'ready');
  const failed = { ...operator('lock-b', 'n1'), status: { phase: 'Failed' } };
  assert.equal(found(failed), 'none');
});

test('whatever is on the node: nothing is left behind but careen, and never the last one that could lead', () => {
  const pods = fc.subarray([own, sibling, update, shop], { minLength: 1 });
  const standby = fc.constantFrom<Standby>('ready', 'coming', 'nowhere', 'none');
  const refusals = fc.subarray([own, sibling, update, shop]);
  const age = fc.integer({ min: 0, max: 2 * PATIENCE_MS });
  fc.assert(
    fc.property(pods, standby, refusals, age, age, (on, who, refused, crewAge, refusedAge) => {
      const attempts = refused.map((pod): [Pod, number] => [pod, NOW - refusedAge]);
      const { done, evict, lift } = plan(on, { attempts, standby: who, crewSince: NOW - crewAge });
      if (on.includes(shop)) assert.equal(done, false, 'a workload is left on the node');
      if (evict.includes('lock-a')) {
        assert.equal(who, 'ready', 'it leaves although nobody could take over');
        assert.equal(evict.length, 1, 'it leaves before the others');
      }
      if (lift) assert.ok(done && on.includes(own) && who !== 'ready' && who !== 'coming');
      const stuck = !done && evict.length === 0;
      const waits = crewAge < PATIENCE_MS || refusedAge < PATIENCE_MS || on.includes(shop);
      assert.ok(!stuck || waits, 'a drain of careen alone must end');
    }),
    { numRuns: 5000 },
  );
});
