import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CORDON_ANNOTATION, KEEP_CORDONED_ANNOTATION } from '#api/group.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError, KubeError } from '#runtime/client/error.ts';
import { until } from '#test/cluster/until.ts';
import { install, type Installed } from './testing/installed.ts';

const NODE = '/api/v1/nodes/node-a';
const STATUS = `${NODE}/status`;
const MARK = { [CORDON_ANNOTATION]: 'test@2026-11-21T10:00:00Z' };
/** Rights as somebody might hand out by mistake, so that the policy alone decides. */
const ADMIN = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'careen-reboot-lock-by-mistake' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
  subjects: [{ kind: 'ServiceAccount', name: 'careen-reboot-lock', namespace: 'careen-system' }],
};

let careen: Installed | undefined;
let admin: KubeClient;
let lock: KubeClient;

before(async () => {
  careen = await install();
  ({ admin, rebootLock: lock } = careen);
  await admin.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', ADMIN);
  await admin.mergePatch(NODE, {
    metadata: { labels: { zone: 'a' }, annotations: { 'example.com/note': 'x' } },
    spec: { taints: [{ key: 'example.com/gpu', effect: 'NoSchedule' }] },
  });
  const conditions = [
    { type: 'Ready', status: 'True', reason: 'KubeletReady' },
    { type: 'Drained', status: 'True', reason: 'SomebodyElse' },
  ];
  await admin.mergePatch(STATUS, { status: { conditions, capacity: { cpu: '4' } } });
  await until('the policy refuses', async () => {
    const outcome = await lock
      .mergePatch(NODE, { metadata: { labels: { probe: 'x' } } })
      .catch((error: unknown) => error);
    return isKubeError(outcome, 'Forbidden') && outcome.message.includes('careen-reboot-lock-nodes');
  });
});

after(() => careen?.stop());

function cordon(on: boolean, annotations: Record<string, string | null>) {
  return { metadata: { annotations }, spec: { unschedulable: on ? true : null } };
}

const OWN = { type: 'DrainInProgress', status: 'True', reason: 'CareenDraining', message: '' };

function says(...conditions: object[]) {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-a' }, status: { conditions } };
}

const AS = { fieldManager: 'careen-reboot-lock', force: true };

test('the reboot lock cordons with its mark, lifts its cordon, and takes its mark off a cordon that stays', async () => {
  await lock.mergePatch(NODE, cordon(true, MARK));
  await lock.mergePatch(NODE, cordon(false, { [CORDON_ANNOTATION]: null }));
  await lock.mergePatch(NODE, cordon(true, MARK));
  await lock.mergePatch(NODE, { spec: { unschedulable: null } });
  await lock.mergePatch(NODE, cordon(true, MARK));
  await lock.mergePatch(NODE, { metadata: { annotations: { [CORDON_ANNOTATION]: null } } });
  await admin.mergePatch(NODE, { spec: { unschedulable: null } });
});

test('the reboot lock sets and removes conditions of its own by apply', async () => {
  await lock.apply(STATUS, says(OWN), AS);
  await lock.apply(STATUS, says({ ...OWN, status: 'False' }), AS);
  await lock.apply(STATUS, says(), AS);
  const { status } = await admin.get<{ status: { conditions: { type: string; reason: string }[] } }>(NODE);
  // A node that no kubelet reports is given others in time.
  const known = status.conditions.filter(
    ({ type, reason }) => type === 'Ready' || !reason.startsWith('NodeStatus'),
  );
  assert.deepEqual(known.map(({ type }) => type).toSorted(), ['Drained', 'Ready']);
});

type Attempt = [what: string, attempt: () => Promise<unknown>, message: RegExp];

const ATTEMPTS: Attempt[] = [
  [
    'cordon without its mark',
    () => lock.mergePatch(NODE, cordon(true, {})),
    /carries the annotation careen.dev\/cordoned-by; set both in one request/,
  ],
  [
    'make a Node',
    () => lock.create('/api/v1/nodes', { metadata: { name: 'evil' } }),
    /neither makes nor deletes/,
  ],
  ['delete a Node', () => lock.delete(NODE), /neither makes nor deletes Nodes; do that as another account/],
  [
    'taint a Node',
    () => lock.mergePatch(NODE, { spec: { taints: [{ key: 'evil', effect: 'NoExecute' }] } }),
    /nothing of a Node's spec but spec.unschedulable/,
  ],
  [
    'take a taint off',
    () => lock.mergePatch(NODE, { spec: { taints: null } }),
    /nothing of a Node's spec but/,
  ],
  [
    'change the provider id',
    () => lock.mergePatch(NODE, { spec: { providerID: 'evil://1' } }),
    /of a Node's spec but/,
  ],
  ['label a Node', () => lock.mergePatch(NODE, { metadata: { labels: { zone: 'b' } } }), /no labels/],
  ['take a label off', () => lock.mergePatch(NODE, { metadata: { labels: { zone: null } } }), /no labels/],
  ['add a finalizer', () => lock.mergePatch(NODE, { metadata: { finalizers: ['x.y/z'] } }), /finalizers/],
  [
    'change an annotation of others',
    () => lock.mergePatch(NODE, { metadata: { annotations: { 'example.com/note': 'y' } } }),
    /no annotation of a Node but careen.dev\/cordoned-by/,
  ],
  [
    'remove an annotation of others',
    () => lock.mergePatch(NODE, { metadata: { annotations: { 'example.com/note': null } } }),
    /no annotation of a Node but/,
  ],
  [
    "take away a person's wish that the node stays cordoned",
    () => lock.mergePatch(NODE, { metadata: { annotations: { [KEEP_CORDONED_ANNOTATION]: 'x' } } }),
    /no annotation of a Node but/,
  ],
  [
    'change the capacity',
    () => lock.mergePatch(STATUS, { status: { capacity: { cpu: '5' } } }),
    /nothing of a Node's status but conditions of its own/,
  ],
  [
    'forge the boot ID',
    () => lock.mergePatch(STATUS, { status: { nodeInfo: { bootID: 'x' } } }),
    /nothing of a Node's status but conditions/,
  ],
  [
    'say that a node is Ready',
    () => lock.apply(STATUS, says({ type: 'Ready', status: 'True', reason: 'CareenSays' }), AS),
    /changes only the conditions/,
  ],
  [
    "overwrite another tool's condition of the same name",
    () => lock.apply(STATUS, says({ type: 'Drained', status: 'False', reason: 'CareenDraining' }), AS),
    /another's stays as it is/,
  ],
  [
    'set a condition without its own reason',
    () => lock.apply(STATUS, says({ ...OWN, reason: 'Draining' }), AS),
    /only where their reason begins with Careen/,
  ],
  ['drop all conditions', () => lock.mergePatch(STATUS, { status: { conditions: [] } }), /another's stays/],
];

for (const [what, attempt, message] of ATTEMPTS) {
  test(`the reboot lock cannot ${what}, whatever RBAC allows, and is told why`, async () => {
    await assert.rejects(attempt(), (error) => {
      assert(error instanceof KubeError);
      assert.match(error.message, message);
      return true;
    });
  });
}

test('the reboot lock cannot lift the cordon of others, nor put its mark on it', async () => {
  await admin.mergePatch(NODE, { spec: { unschedulable: true } });
  await assert.rejects(
    lock.mergePatch(NODE, { metadata: { annotations: MARK } }),
    /cordoned by others already; leave it to them/,
  );
  for (const annotations of [{}, { [CORDON_ANNOTATION]: null }, MARK]) {
    await assert.rejects(
      lock.mergePatch(NODE, cordon(false, annotations)),
      /not the reboot lock's.*kubectl uncordon|leave it to them/s,
    );
  }
});

test('nobody else is held by the policy', async () => {
  await admin.mergePatch(NODE, { metadata: { labels: { zone: 'c' } }, spec: { unschedulable: null } });
  await admin.mergePatch(STATUS, { status: { capacity: { cpu: '8' } } });
});
