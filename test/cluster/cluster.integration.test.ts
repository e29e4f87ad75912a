import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { startCluster, type Cluster, type ControlPlanePids } from './cluster.ts';
import { ClusterError } from './cluster-error.ts';
import { isRunning } from './running.ts';
import { until } from './until.ts';

const run = promisify(execFile);

let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
});

after(() => cluster?.stop());

test('is ready with RBAC defaults, and the controllers and the scheduler run', async (t) => {
  t.diagnostic(`ready after ${cluster.startedInMs} ms`);
  assert.match(await kubectl('get', 'clusterrole', 'cluster-admin', '-o', 'name'), /cluster-admin/);
  await cluster.defaultServiceAccount();
  assert.ok(Object.values(cluster.pids).every(isRunning));
});

test('a user gets what RBAC gives, and nothing else', async () => {
  const credential = await cluster.issueClientCert({ user: 'reader', groups: ['readers'] });
  const reader = await cluster.writeKubeconfig({ name: 'reader', ...credential });
  await assert.rejects(kubectlAs(reader, 'get', 'nodes'), /User "reader" cannot list resource "nodes"/);
  await kubectl('create', 'clusterrolebinding', 'readers', '--clusterrole=view', '--group=readers');
  await until('the binding works', async () => (await kubectlAs(reader, 'get', 'pods', '-A')) !== undefined);
  await assert.rejects(
    kubectlAs(reader, 'create', 'namespace', 'mine'),
    /cannot create resource "namespaces"/,
  );
});

test('a kubelet may change its own node only', async () => {
  const user = { user: 'system:node:n1', groups: ['system:nodes'] };
  const kubelet = await cluster.writeKubeconfig({ name: 'n1', ...(await cluster.issueClientCert(user)) });
  await kubectlAs(
    kubelet,
    'create',
    '-f',
    await manifest({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } }),
  );
  const other = await manifest({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n2' } });
  await assert.rejects(kubectlAs(kubelet, 'create', '-f', other), /is not allowed to modify node "n2"/);
});

test("a token bound to a pod carries its node's name, and works from a file", async () => {
  await cluster.defaultServiceAccount();
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'bound', namespace: 'default' },
    spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'none' }] },
  };
  await kubectl('create', '-f', await manifest(pod));
  const bound = ['--bound-object-kind', 'Pod', '--bound-object-name', 'bound'];
  const token = (await kubectl('create', 'token', 'default', ...bound)).trim();
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    'kubernetes.io': { node: { name: string }; pod: { name: string } };
  };
  assert.equal(claims['kubernetes.io'].node.name, 'n1');
  assert.equal(claims['kubernetes.io'].pod.name, 'bound');
  const tokenFile = path.join(cluster.directory, 'token');
  await writeFile(tokenFile, token);
  const podConfig = await cluster.writeKubeconfig({ name: 'pod', tokenFile });
  let me = '';
  // The API server may know the token a moment before it knows the pod and its node.
  await until('the token is accepted', async () => {
    me = await kubectlAs(podConfig, 'auth', 'whoami', '-o', 'json');
    return true;
  });
  assert.match(me, /system:serviceaccount:default:default/);
  assert.match(me, /"authentication.kubernetes.io\/node-name": \[\s+"n1"/);
});

test('an admission policy is enforced', async () => {
  const policy = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy' };
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] };
  const spec = {
    matchConstraints: { resourceRules: [rule] },
    validations: [{ expression: "object.metadata.name != 'evil'", message: 'no evil here' }],
  };
  const bind = { policyName: 'no-evil', validationActions: ['Deny'] };
  const binding = {
    ...policy,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'no-evil' },
    spec: bind,
  };
  await kubectl('create', '-f', await manifest({ ...policy, metadata: { name: 'no-evil' }, spec }));
  await kubectl('create', '-f', await manifest(binding));
  await until('the policy is in force', async () => {
    const attempt = kubectl('create', 'configmap', 'evil', '--dry-run=server');
    return attempt.then(() => false).catch((error: Error) => error.message.includes('no evil here'));
  });
});

test('the audit log says who wrote what', async () => {
  await kubectl('create', 'namespace', 'audited');
  let found = 0;
  await until('it is logged', async () => (found = (await auditLines()).filter(isOurs).length) > 0);
  assert.equal(found, 1);
});

test('the API server restarts on its port and keeps what it held', async () => {
  const before = cluster.pids.apiServer;
  await kubectl('create', 'namespace', 'kept');
  await cluster.stopApiServer();
  await assert.rejects(kubectl('get', 'namespaces'), /refused/);
  await cluster.startApiServer();
  assert.match(await kubectl('get', 'namespaces'), /kept/);
  await cluster.restartApiServer({ downMs: 200 });
  assert.match(await kubectl('get', 'namespaces'), /kept/);
  assert.notEqual(cluster.pids.apiServer, before);
});

test('a second cluster at the same time is another one, and leaves nothing', async () => {
  const second = await startCluster();
  assert.notEqual(second.url, cluster.url);
  await run(second.tools.kubectl, ['--kubeconfig', second.kubeconfig, 'create', 'namespace', 'only-there']);
  await assert.rejects(kubectl('get', 'namespace', 'only-there'), /not found/);
  const pids = Object.values(second.pids);
  await second.stop();
  assert.ok(!pids.some(isRunning));
  assert.equal(existsSync(second.directory), false);
});

test('a given cluster is used and left alone', async () => {
  const given = await startCluster({ kubeconfig: cluster.kubeconfig });
  assert.equal(given.url, cluster.url);
  await given.defaultServiceAccount();
  await assert.rejects(given.restartApiServer(), notOurs);
  await assert.rejects(given.issueClientCert({ user: 'x' }), notOurs);
  await given.stop();
  assert.match(await kubectl('get', 'namespaces'), /kube-system/);
});

test('an API server that cannot start says why, and leaves nothing', async () => {
  await assert.rejects(startCluster({ apiServerFlags: ['--no-such-flag'] }), (error: unknown) => {
    assert.ok(error instanceof ClusterError);
    assert.equal(error.code, 'ComponentFailed');
    assert.match(error.message, /kube-apiserver ended.*unknown flag: --no-such-flag/s);
    return true;
  });
});

test('nothing is left of a cluster whose parent was killed with SIGKILL', async () => {
  const program = `
    import { startCluster } from ${JSON.stringify(new URL('cluster.ts', import.meta.url).href)};
    const { pids, directory } = await startCluster();
    console.log(JSON.stringify({ pids, directory }));
    setInterval(() => {}, 1000);
  `;
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise((resolve) => parent.stdout.once('data', resolve));
  const { pids, directory } = JSON.parse(String(line)) as { pids: ControlPlanePids; directory: string };
  assert.ok(Object.values(pids).every(isRunning));
  parent.kill('SIGKILL');
  await until('all processes have ended', () => !Object.values(pids).some(isRunning));
  await until('the directory is gone', () => !existsSync(directory));
});

/** The whole lines of the audit log: the last one may still be on its way. */
async function auditLines(): Promise<string[]> {
  return (await readFile(cluster.auditLog, 'utf8')).split('\n').slice(0, -1);
}

/** Whether a line of the audit log is our creation of the namespace `audited`. */
function isOurs(line: string): boolean {
  const event = JSON.parse(line) as {
    verb: string;
    user: { username: string };
    objectRef?: { resource?: string; name?: string };
  };
  const object = `${event.objectRef?.resource}/${event.objectRef?.name}`;
  return event.verb === 'create' && event.user.username === 'admin' && object === 'namespaces/audited';
}

function notOurs(error: unknown): boolean {
  return error instanceof ClusterError && error.code === 'NotOurs';
}

function kubectl(...args: string[]): Promise<string> {
  return kubectlAs(cluster.kubeconfig, ...args);
}

async function kubectlAs(kubeconfig: string, ...args: string[]): Promise<string> {
  return (await run(cluster.tools.kubectl, ['--kubeconfig', kubeconfig, ...args])).stdout;
}

let manifests = 0;

async function manifest(object: object): Promise<string> {
  const file = path.join(cluster.directory, `manifest-${++manifests}.json`);
  await writeFile(file, JSON.stringify(object));
  return file;
}
