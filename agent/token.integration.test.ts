import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { resourcePath } from '#api/group.ts';
import type { NodeState } from '#api/kinds.ts';
import type { KubeObject } from '#api/meta.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { startCluster } from '#test/cluster/cluster.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';
import { createDisk, USR_A } from '#test/machine/disk.ts';
import { writeHostRoot } from '#test/machine/host-root.ts';
import { buildOsImage, osRelease } from '#test/machine/os-image.ts';

/*
 * The agent with the service account of its pod: the directory that the kubelet projects, mounted where it is in every
 * pod, in a mount namespace of the agent's own. Needs root.
 */
const PATH = resourcePath('NodeState', 'n1');
const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts';
const SECRETS = '/api/v1/namespaces/default/secrets';
const PROGRAM = join(import.meta.dirname, 'main.ts');
/** The watch of an agent may rest for half a minute after the API server was away. */
const LONG_MS = 240_000;
const skip = process.getuid?.() === 0 ? false : 'a mount namespace needs root';

let directory: string;
let volume: string;
let cluster: Cluster;
let admin: KubeClient;
let agent: ChildProcess | undefined;

before(async () => {
  if (skip !== false) return console.log(`skipped: ${skip}`);
  directory = await mkdtemp(join(tmpdir(), 'careen-token-'));
  volume = join(directory, 'serviceaccount');
  await mkdir(volume);
  cluster = await startCluster();
  admin = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'test' });
  await grantRights();
  await project(await token('first'));
});

after(async () => {
  if (agent !== undefined && agent.exitCode === null && agent.signalCode === null) {
    const gone = once(agent, 'exit');
    agent.kill('SIGTERM');
    await gone;
  }
  await admin?.close();
  await cluster?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

test(
  'the agent goes on with the token that the kubelet put in the place of the one that ended',
  { skip },
  async () => {
    agent = await start();
    await reports('with its first token');
    await project(await token('second'));
    await admin.delete(`${SECRETS}/first`);
    await ended(await readFile(join(volume, '..before', 'token'), 'utf8'));
    // Whatever it held open with the first token breaks off.
    await cluster.stopApiServer();
    await cluster.startApiServer();
    await reports('with its second token');
    assert.equal(agent.exitCode, null, 'it is the same process');
  },
);

/** The agent's own status is taken away and comes again, by its watch and by a write. */
async function reports(how: string): Promise<void> {
  await until('the status can be taken away', async () => {
    await admin.mergePatch(`${PATH}/status`, { status: { engine: null } });
    return true;
  });
  await until(`the agent reports ${how}`, hasReported, { timeoutMs: LONG_MS });
}

async function hasReported(): Promise<boolean> {
  return (await admin.get<NodeState>(PATH)).status?.engine === 'gpt';
}

/** A token that ends when the Secret of that name does. */
async function token(name: string): Promise<string> {
  const secret = await admin.create<KubeObject>(SECRETS, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
  });
  const { uid = '' } = secret.metadata;
  const boundObjectRef = { apiVersion: 'v1', kind: 'Secret', name, uid };
  const request = { metadata: {}, spec: { expirationSeconds: 600, boundObjectRef } };
  const { status } = await admin.create<{ metadata: object; status?: { token: string } }>(
    `${ACCOUNTS}/agent/token`,
    request,
  );
  return status?.token ?? '';
}

/** The API server remembers for some seconds that a token was good. */
async function ended(old: string): Promise<void> {
  const review = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    metadata: {},
    spec: { token: old },
  };
  await until(
    'the first token is refused',
    async () => {
      const { status } = await admin.create<typeof review & { status?: { authenticated?: boolean } }>(
        '/apis/authentication.k8s.io/v1/tokenreviews',
        review,
      );
      return status?.authenticated !== true;
    },
    { timeoutMs: LONG_MS },
  );
}

/** As the kubelet does: a new directory, and one link that is turned to it. */
async function project(value: string): Promise<void> {
  const fresh = `..${Date.now()}`;
  await mkdir(join(volume, fresh));
  await writeFile(join(volume, fresh, 'token'), value, { mode: 0o600 });
  await writeFile(join(volume, fresh, 'ca.crt'), cluster.caPem);
  await rename(join(volume, '..data'), join(volume, '..before')).catch(() => undefined);
  await symlink(fresh, join(volume, '..data_tmp'));
  await rename(join(volume, '..data_tmp'), join(volume, '..data'));
  for (const name of ['token', 'ca.crt'])
    await symlink(join('..data', name), join(volume, name)).catch(() => undefined);
}

async function grantRights(): Promise<void> {
  const crd = join(import.meta.dirname, '../crds/nodestates.careen.dev.yaml');
  const kubectl = ['--kubeconfig', cluster.kubeconfig, 'apply', '--server-side', '-f', crd];
  execFileSync(cluster.tools.kubectl, kubectl);
  await admin.create(ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'agent' } });
  const subject = { kind: 'ServiceAccount', name: 'agent', namespace: 'default' };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
  const binding = { metadata: { name: 'agent' }, roleRef, subjects: [subject] };
  await admin.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', binding);
  await admin.create('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
  const state = { apiVersion: 'careen.dev/v1alpha1', kind: 'NodeState', metadata: { name: 'n1' }, spec: {} };
  await until('the kind is served', async () => {
    await admin.apply(PATH, state, { fieldManager: 'test' });
    return true;
  });
}

async function start(): Promise<ChildProcess> {
  const [image, disk, host] = ['os.img', 'disk.img', 'host'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  await buildOsImage({ path: image, version: '1.0.0', bulkMiB: 1 });
  createDisk(disk, { usrMiB: 8, osImage: image });
  const facts = { bootID: 'boot', machineID: 'a'.repeat(32), kernel: '6.12', osRelease: osRelease('1.0.0') };
  await writeHostRoot(host, { ...facts, partuuid: USR_A });
  const { hostname, port } = new URL(cluster.url);
  const flags = ['--node-name', 'n1', '--host-root', host, '--disk', disk, '--reboot-command', '["true"]'];
  const script = 'mount -t tmpfs none /run && mkdir -p "$0" && mount --bind "$1" "$0" && shift && exec "$@"';
  const where = '/run/secrets/kubernetes.io/serviceaccount';
  const command = ['--mount', 'sh', '-c', script, where, volume, process.execPath, PROGRAM, ...flags];
  const env = { ...process.env, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  return spawn('unshare', command, { env, stdio: ['ignore', 'ignore', 'inherit'] });
}
