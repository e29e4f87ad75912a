import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { BundleSource } from '#agent/config/bundle/bundle-source.ts';
import { ConfigError } from '#agent/config/config-error.ts';
import { BUNDLE_NAMESPACE, type ConfigBundle, type ConfigDocument } from '#api/config-document.ts';
import { bundleHash } from '#api/config-hash.ts';
import { API_VERSION, resourcePath } from '#api/group.ts';
import type { NodeState, RenderedConfig } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import {
  accountObjects,
  bundleSecret,
  nodeObjectPath,
  type NodeObject,
} from '#operators/node-config/deliver/node-objects.ts';
import { packBundle } from '#operators/node-config/render/bundle.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError, KubeError } from '#runtime/client/error.ts';
import { until } from '#test/cluster/until.ts';
import { actAs } from './testing/account.ts';
import { allowed, servedResources, spelledOut } from './testing/access.ts';
import { install, type Installed, makePod, refuses } from './testing/installed.ts';
import { AGENT_NAMESPACE, NAMESPACE } from './testing/release.ts';
import { EVERYBODY, NODE_CONFIG_RIGHTS } from './testing/rights.ts';

/** Who may read what nodes are given, by real tokens on a real API server. */

const SALT = 'a'.repeat(32);
const document: ConfigDocument = {
  schema: 1,
  directories: [],
  files: [],
  links: [],
  units: [],
  authorizedKeys: [],
  kernelArguments: { add: [], remove: [] },
  disruption: [],
  validate: [],
  probes: [],
  confirm: { timeout: '5m', settle: '20s' },
};
const hash = bundleHash(document, SALT);
const signal = AbortSignal.timeout(600_000);

let careen: Installed | undefined;
let admin: KubeClient;
let agent: KubeClient;
let operator: KubeClient;

before(async () => {
  careen = await install({ nodeConfig: { enabled: true, sourceNamespaces: [NAMESPACE, 'default'] } });
  ({ admin, agent } = careen);
  operator = await actAs(careen.cluster, admin, { namespace: NAMESPACE, name: 'careen-node-config' });
  await careen.cluster.defaultServiceAccount(BUNDLE_NAMESPACE);
  // The server looks for an account before it asks the policies.
  for (const name of ['node-a', 'node-b']) await give(name);
  await until('the policies refuse', async () => {
    const state = resourcePath('NodeState', 'node-a');
    return (
      (await refuses(agent.create(tokenOf('node-b'), request()))) &&
      (await refuses(operator.mergePatch(state, { spec: { update: null } })))
    );
  });
});

after(async () => {
  await operator?.close();
  await careen?.stop();
});

/** What the operator makes for a node, by the operator's own account. */
async function give(name: string): Promise<void> {
  const state = await operator.get<NodeState>(resourcePath('NodeState', name));
  const node = await identity(name);
  const packed = packBundle({ hash, salt: SALT, generation: 1, node, document });
  assert.ok(packed.ok);
  const secret = bundleSecret(state, { hash, generation: 1, packed: packed.data.toString('base64') });
  for (const object of [...accountObjects(state), secret]) await put(object);
}

function put(object: NodeObject): Promise<unknown> {
  const path = nodeObjectPath(object.kind as 'Secret', object.metadata.name);
  return operator.apply(path, object, { fieldManager: 'careen-node-config', force: true });
}

async function identity(name: string): Promise<{ name: string; uid: string }> {
  const { metadata } = await admin.get<Node>(`/api/v1/nodes/${name}`);
  return { name, uid: metadata.uid ?? '' };
}

async function fetched(client: KubeClient, name: string): Promise<ConfigBundle> {
  return new BundleSource(client, name).fetch({ node: await identity(name), hash, generation: 1 }, signal);
}

function tokenOf(name: string, namespace = BUNDLE_NAMESPACE): string {
  return `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
}

function request(spec: object = {}) {
  return { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
}

function secretOf(name: string): string {
  return nodeObjectPath('Secret', name);
}

async function refusal(attempt: Promise<unknown>): Promise<KubeError> {
  const outcome = await attempt.then(
    () => assert.fail('it was allowed'),
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof KubeError, String(outcome));
  assert.equal(outcome.code, 'Forbidden', outcome.message);
  return outcome;
}

suite('an agent', () => {
  test('reads the bundle of its own node, by a token of the node\u2019s own account', async () => {
    assert.equal((await fetched(agent, 'node-a')).hash, hash);
  });

  test('cannot read any Secret with its own token, its own node\u2019s included (A23)', async () => {
    for (const path of [secretOf('node-a'), secretOf('node-b')]) await refusal(agent.get(path));
    await refusal(agent.list(nodeObjectPath('Secret')));
    await refusal(agent.list('/api/v1/secrets'));
  });

  test('gets no token of another node, and so nothing of what that node is given (A23)', async () => {
    const refused = await refusal(agent.create(tokenOf('node-b'), request()));
    assert.match(refused.message, /its own node only; this token is of node node-a/);
    await assert.rejects(fetched(agent, 'node-b'), (error: unknown) => {
      return error instanceof ConfigError && error.code === 'BundleUnreachable';
    });
  });

  test('gets no token of other accounts, in that namespace or elsewhere, nor one for longer than an hour', async () => {
    await refusal(agent.create(tokenOf('default'), request()));
    await refusal(agent.create(tokenOf('careen-agent', AGENT_NAMESPACE), request()));
    await refusal(agent.create(tokenOf('careen-node-config', NAMESPACE), request()));
    await refusal(agent.create(tokenOf('node-a'), request({ expirationSeconds: 7200 })));
  });

  test('whose token is bound to no pod gets no token at all', async () => {
    const refused = await refusal(careen?.unbound.create(tokenOf('node-a'), request()) ?? Promise.resolve());
    assert.match(refused.message, /the token names no node/);
  });

  test('whose pod is gone is nobody: its token is refused (A23)', async () => {
    const pod = await makePod(admin, 'agent-gone', 'node-b');
    const gone = await actAs(careen!.cluster, admin, {
      namespace: AGENT_NAMESPACE,
      name: 'careen-agent',
      pod,
    });
    assert.equal((await fetched(gone, 'node-b')).hash, hash);
    await admin.delete(`/api/v1/namespaces/${AGENT_NAMESPACE}/pods/agent-gone`, { gracePeriodSeconds: 0 });
    await until('the token is refused', async () => {
      const error: unknown = await gone
        .create(tokenOf('node-b'), request())
        .catch((reason: unknown) => reason);
      return isKubeError(error, 'Unauthorized');
    });
    await gone.close();
  });

  test('is told what is wrong when its node\u2019s account is not there', async () => {
    await admin.delete(nodeObjectPath('ServiceAccount', 'node-a'));
    await assert.rejects(fetched(agent, 'node-a'), /BundleUnreachable|cannot be read/);
    await give('node-a');
    assert.equal((await fetched(agent, 'node-a')).hash, hash);
  });
});

suite('the account of a node', () => {
  let token: string;
  before(async () => {
    const { status } = await agent.create<{ status: { token: string } }>(tokenOf('node-a'), request());
    ({ token } = status);
  });

  test('reads its own Secret, and nothing else: no other, no list, no watch, no write (A23)', async () => {
    assert.ok(await agent.get(secretOf('node-a'), undefined, { token }));
    await refusal(agent.get(secretOf('node-b'), undefined, { token }));
    await refusal(agent.get(secretOf('careen-node-config-salt'), undefined, { token }));
    await refusal(agent.list(nodeObjectPath('Secret'), undefined, { token }));
    await refusal(agent.mergePatch(secretOf('node-a'), { data: {} }, undefined, { token }));
    await refusal(agent.get(resourcePath('NodeState', 'node-a'), undefined, { token }));
    await refusal(agent.create(tokenOf('node-a'), request(), undefined, { token }));
  });

  test('has no other right in the cluster', async () => {
    const resources = await servedResources(admin);
    const user = `system:serviceaccount:${BUNDLE_NAMESPACE}:node-a`;
    assert.deepEqual(await allowed(admin, user, BUNDLE_NAMESPACE, resources), spelledOut(EVERYBODY));
    assert.deepEqual(await allowed(admin, user, NAMESPACE, resources), spelledOut(EVERYBODY));
  });
});

suite('the operator of NodeConfigs', () => {
  test('has these rights and no others, namespace by namespace', async () => {
    const resources = await servedResources(admin);
    const user = `system:serviceaccount:${NAMESPACE}:careen-node-config`;
    for (const [namespace, rules] of Object.entries(NODE_CONFIG_RIGHTS)) {
      const found = await allowed(admin, user, namespace, resources);
      assert.deepEqual(found, spelledOut([...rules, ...EVERYBODY]), namespace);
    }
  });

  test('can write neither spec.update nor spec.reboot, nor make a NodeState', async () => {
    const path = resourcePath('NodeState', 'node-a');
    const update = await refusal(operator.mergePatch(path, { spec: { update: { version: '6.6.6' } } }));
    assert.match(update.message, /spec.update is written by careen-update only/);
    const reboot = await refusal(operator.mergePatch(path, { spec: { reboot: null } }));
    assert.match(reboot.message, /spec.reboot is written by careen-reboot-lock only/);
    await operator.mergePatch(path, { spec: { config: { generation: 7 } } });
    const body = { apiVersion: API_VERSION, kind: 'NodeState', metadata: { name: 'x' }, spec: {} };
    await refusal(operator.create(resourcePath('NodeState'), body));
    await refusal(operator.mergePatch(`${path}/status`, { status: { bootID: 'x' } }));
  });

  test('is the only one that writes spec.config', async () => {
    const path = resourcePath('NodeState', 'node-a');
    const spec = { config: { hash: 'f'.repeat(64) } };
    for (const other of [careen?.update, careen?.rebootLock]) {
      const refused = await refusal(other?.mergePatch(path, { spec }) ?? Promise.resolve());
      assert.match(refused.message, /spec.config is written by careen-node-config only/);
    }
  });

  test('cannot hand on more than it has', async () => {
    const [, role] = accountObjects(await operator.get<NodeState>(resourcePath('NodeState', 'node-a')));
    const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
    await refusal(put({ ...role, metadata: role?.metadata ?? { name: '' }, rules }));
  });

  test('makes, keeps and deletes RenderedConfigs, and takes its own finalizer off them', async () => {
    const metadata = { name: 'rendered-x', finalizers: ['careen.dev/in-use'] };
    const spec = { document: '{}', sources: [] };
    const path = resourcePath('RenderedConfig', 'rendered-x');
    await operator.create<RenderedConfig>(resourcePath('RenderedConfig'), {
      apiVersion: API_VERSION,
      kind: 'RenderedConfig',
      metadata,
      spec,
    });
    await operator.mergePatch(`${path}/status`, { status: { nodes: 1 } });
    await operator.mergePatch(path, { metadata: { finalizers: [] } });
    await operator.delete(path);
  });
});
