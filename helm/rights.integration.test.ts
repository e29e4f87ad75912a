import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { API_VERSION, CORDON_ANNOTATION, resourcePath } from '#api/group.ts';
import type { NodeState } from '#api/kinds.ts';
import { SAMPLES } from '#api/crd/samples.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { KubeError } from '#runtime/client/error.ts';
import { until } from '#test/cluster/until.ts';
import { allowed, servedResources, spelledOut } from './testing/access.ts';
import { ATTEMPTS, OF_CAREEN } from './testing/attempts.ts';
import { install, makePod, type Installed } from './testing/installed.ts';
import { AGENT_NAMESPACE, NAMESPACE } from './testing/release.ts';
import { EVERYBODY, RIGHTS } from './testing/rights.ts';

let careen: Installed | undefined;
let admin: KubeClient;
let agent: KubeClient;
let unbound: KubeClient;
let update: KubeClient;
let rebootLock: KubeClient;

before(async () => {
  careen = await install();
  ({ admin, agent, unbound, update, rebootLock } = careen);
});

after(() => careen?.stop());

async function refusal(attempt: Promise<unknown>): Promise<KubeError> {
  const outcome = await attempt.then(
    (value) => assert.fail(`it was allowed: ${JSON.stringify(value).slice(0, 200)}`),
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof KubeError, String(outcome));
  assert.equal(outcome.code, 'Forbidden', outcome.message);
  return outcome;
}

function statusOf(node: string): string {
  return `${resourcePath('NodeState', node)}/status`;
}

function stagedAt(name: string) {
  const status = { update: { phase: 'Staged', version: '2.0.0', since: '2026-11-21T06:00:00Z' } };
  return { apiVersion: API_VERSION, kind: 'NodeState', metadata: { name }, status };
}

function lease(name: string) {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name },
    spec: { holderIdentity: 'test' },
  };
}

suite('what RBAC allows, of every verb on every resource that is served', () => {
  for (const [account, rules] of Object.entries(RIGHTS)) {
    test(`${account} has these rights and no others`, async () => {
      const resources = await servedResources(admin);
      assert.ok(resources.length > 80, `${resources.length} resources are served`);
      const user = `system:serviceaccount:${account}`;
      assert.deepEqual(
        await allowed(admin, user, NAMESPACE, resources),
        spelledOut([...rules, ...EVERYBODY]),
      );
      const elsewhere = rules.filter((rule) => !rule.includes('leases'));
      assert.deepEqual(
        await allowed(admin, user, 'kube-system', resources),
        spelledOut([...elsewhere, ...EVERYBODY]),
      );
    });
  }
});

suite('the token of an agent', () => {
  test('changes the status of its own NodeState, by patch, by update and by apply', async () => {
    const { status } = stagedAt('node-a');
    await agent.mergePatch(statusOf('node-a'), { status });
    const read = await agent.get<NodeState>(statusOf('node-a'));
    await agent.replace(statusOf('node-a'), { ...read, status: { ...read.status, bootID: 'b1' } });
    await agent.apply(statusOf('node-a'), stagedAt('node-a'), { fieldManager: 'careen-agent', force: true });
    const stored = await admin.get<NodeState>(resourcePath('NodeState', 'node-a'));
    assert.equal(stored.status?.update?.phase, 'Staged');
  });

  test('changes nothing but status through the status of its own NodeState', async () => {
    const before = await admin.get<NodeState>(resourcePath('NodeState', 'node-a'));
    await agent.mergePatch(statusOf('node-a'), {
      metadata: { labels: { stolen: 'yes' }, ownerReferences: [] },
      spec: { reboot: { grant: { id: 'forged' } } },
      status: { bootID: 'b2' },
    });
    const now = await admin.get<NodeState>(resourcePath('NodeState', 'node-a'));
    assert.deepEqual([now.spec, now.metadata.labels], [before.spec, before.metadata.labels]);
    assert.equal(now.status?.bootID, 'b2');
  });

  for (const [what, attempt] of Object.entries(ATTEMPTS)) {
    test(`cannot ${what}, whether it is bound to a pod or not`, async () => {
      await refusal(attempt(agent, admin));
      await refusal(attempt(unbound, admin));
    });
  }

  test('is told why: another node', async () => {
    const refused = await refusal(agent.mergePatch(statusOf('node-b'), { status: { bootID: 'x' } }));
    assert.match(refused.message, /status of its own NodeState only; this token is of node node-a/);
  });

  test('is told why: a token that is bound to no pod names no node', async () => {
    const refused = await refusal(unbound.mergePatch(statusOf('node-a'), { status: { bootID: 'x' } }));
    assert.match(refused.message, /the token names no node; an agent must use the token that the kubelet/);
  });

  test('is held by the policy even where somebody gave the account more rights', async () => {
    const role = 'careen-agent-by-mistake';
    const rbac = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
    await admin.create(rbac, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: role },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'careen-agent', namespace: AGENT_NAMESPACE }],
    });
    await until('the rights are in force', async () => Boolean(await agent.list('/api/v1/secrets')));
    for (const what of OF_CAREEN) {
      const refused = await refusal(ATTEMPTS[what]?.(agent, admin) ?? Promise.resolve(what));
      assert.match(refused.message, /ValidatingAdmissionPolicy 'careen-agent'/, what);
    }
    await admin.delete(`${rbac}/${role}`);
  });
});

suite('the operators', () => {
  const leases = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases`;

  test('each keeps its own Lease, and no other', async () => {
    for (const [client, own, other] of [
      [update, 'careen-update', 'careen-reboot-lock'],
      [rebootLock, 'careen-reboot-lock', 'careen-update'],
    ] as const) {
      await client.create(leases, lease(own));
      await client.replace(`${leases}/${own}`, await client.get(`${leases}/${own}`));
      await refusal(client.get(`${leases}/${other}`));
      await refusal(client.mergePatch(`${leases}/${other}`, { spec: { holderIdentity: 'me' } }));
      await refusal(client.create('/apis/coordination.k8s.io/v1/namespaces/kube-system/leases', lease(own)));
    }
  });

  test('update makes a NodeState by apply, tells of its kinds, deletes the NodeState', async () => {
    const path = resourcePath('NodeState', 'node-c');
    const state = {
      apiVersion: API_VERSION,
      kind: 'NodeState',
      metadata: { name: 'node-c' },
      spec: { update: SAMPLES.NodeState.spec['update'] },
    };
    await update.apply(path, state, { fieldManager: 'careen-update', force: true });
    await admin.create(resourcePath('NodeGroup'), {
      apiVersion: API_VERSION,
      kind: 'NodeGroup',
      ...SAMPLES.NodeGroup,
    });
    await update.mergePatch(`${resourcePath('NodeGroup', 'workers')}/status`, { status: { total: 3 } });
    await update.delete(path);
  });

  test('update can write neither spec.reboot nor a status of a NodeState', async () => {
    const path = resourcePath('NodeState', 'node-a');
    const reboot = { notBefore: '2026-11-21T06:00:00Z' };
    const refused = await refusal(update.mergePatch(path, { spec: { reboot } }));
    assert.match(refused.message, /spec.reboot is written by careen-reboot-lock only/);
    const whole = {
      apiVersion: API_VERSION,
      kind: 'NodeState',
      metadata: { name: 'node-d' },
      spec: { reboot },
    };
    await refusal(
      update.apply(resourcePath('NodeState', 'node-d'), whole, { fieldManager: 'careen-update' }),
    );
    await refusal(update.mergePatch(`${path}/status`, { status: { bootID: 'x' } }));
  });

  test('reboot-lock grants by apply to the NodeState of this uid, and makes none', async () => {
    const path = resourcePath('NodeState', 'node-b');
    const { metadata } = await admin.get<NodeState>(path);
    const grant = {
      apiVersion: API_VERSION,
      kind: 'NodeState',
      spec: { reboot: SAMPLES.NodeState.spec['reboot'] },
    };
    const options = { fieldManager: 'careen-reboot-lock', force: true };
    const { name, uid } = metadata;
    await rebootLock.apply(path, { ...grant, metadata: { name, uid } }, options);
    const gone = { ...grant, metadata: { name: 'node-e', uid } };
    await assert.rejects(rebootLock.apply(resourcePath('NodeState', 'node-e'), gone, options), KubeError);
  });

  test('reboot-lock cannot write spec.update', async () => {
    const path = resourcePath('NodeState', 'node-b');
    const refused = await refusal(rebootLock.mergePatch(path, { spec: { update: { version: '6.6.6' } } }));
    assert.match(refused.message, /spec.update is written by careen-update only/);
  });

  test('reboot-lock cordons, evicts, keeps locks and tells of windows', async () => {
    const annotations = { [CORDON_ANNOTATION]: 'test@2026-11-21T10:00:00Z' };
    const cordon = { metadata: { annotations }, spec: { unschedulable: true } };
    await rebootLock.mergePatch('/api/v1/nodes/node-b', cordon);
    const pod = await makePod(admin, 'agent-b', 'node-b');
    await rebootLock.create(`/api/v1/namespaces/${AGENT_NAMESPACE}/pods/${pod.name}/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: pod.name, namespace: AGENT_NAMESPACE },
      deleteOptions: { preconditions: { uid: pod.uid } },
    });
    const lock = { apiVersion: API_VERSION, kind: 'RebootLock', ...SAMPLES.RebootLock };
    const path = resourcePath('RebootLock', 'zones');
    await rebootLock.apply(path, lock, { fieldManager: 'careen-reboot-lock' });
    await rebootLock.mergePatch(`${path}/status`, { status: { max: 2 } });
    const window = { apiVersion: API_VERSION, kind: 'RebootWindow', ...SAMPLES.RebootWindow };
    await admin.create(resourcePath('RebootWindow'), window);
    await rebootLock.mergePatch(`${resourcePath('RebootWindow', 'nights')}/status`, {
      status: { open: true },
    });
    await refusal(rebootLock.mergePatch(resourcePath('RebootWindow', 'nights'), { spec: { allow: [] } }));
  });
});
