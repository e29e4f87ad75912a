import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { inspect } from 'node:util';
import { isReady, type Node } from '#api/meta.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { startCluster, type Cluster } from '#test/cluster/cluster.ts';
import { isRunning } from '#test/cluster/running.ts';
import { until } from '#test/cluster/until.ts';
import { createFleet, type Fleet } from './fleet.ts';
import type { KubeletPod } from './kubelet/pod.ts';
import type { Machine } from './machine.ts';
import { buildOsImage } from './os-image.ts';
import { deployment, processDaemonSet } from './workload-fixture.ts';

let cluster: Cluster;
let admin: KubeClient;
let fleet: Fleet;

before(async () => {
  cluster = await startCluster();
  admin = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'test', qps: 200 });
  const osImage = join(cluster.directory, 'os.img');
  await buildOsImage({ path: osImage, version: '1.0.0', bulkMiB: 3 });
  const program = new URL('test-program.fixture.ts', import.meta.url).pathname;
  const programs = { agent: program };
  const times = { podStopMs: 50, maxGraceMs: 20_000, leaseMs: 2000 };
  fleet = await createFleet({ cluster, count: 5, osImage, usrMiB: 16, zones: ['a', 'b'], programs, times });
  fleet.powerOn();
  await Promise.all([fleet.ready(), cluster.defaultServiceAccount()]);
});

after(async () => {
  await fleet?.delete();
  await admin?.close();
  await cluster?.stop();
});

test('five machines join, each in its zone, with the version and boot that they run', async () => {
  for (const [index, machine] of fleet.machines.entries()) {
    const node = await getNode(machine);
    assert.equal(node.status?.nodeInfo?.bootID, machine.state().bootID);
    assert.equal(node.status?.nodeInfo?.osImage, 'Careen test OS 1.0.0');
    assert.equal(node.metadata.labels?.['topology.kubernetes.io/zone'], index % 2 === 0 ? 'a' : 'b');
  }
});

test("a DaemonSet's containers are real processes with the pod's own token and the machine's paths", async () => {
  await admin.create('/apis/apps/v1/namespaces/default/daemonsets', processDaemonSet('agent'));
  await until('the DaemonSet is ready everywhere', async () => (await readyPods('agent')).length === 5);
  for (const machine of fleet.machines) {
    const [process] = machine.processes();
    assert.ok(process !== undefined && isRunning(process.pid));
    const { args, env } = startLine(machine, process.pod);
    assert.equal(env['NODE_NAME'], machine.name);
    assert.equal(args[args.indexOf('--host-root') + 1], join(machine.directory, 'root'));
    assert.equal(args[args.indexOf('--disk') + 1], machine.disk);
    assert.equal(args[args.indexOf('--node-name') + 1], machine.name);
    const pod = KubeClient.load({ kubeconfig: args[args.indexOf('--kubeconfig') + 1]!, userAgent: 'test' });
    const self = await whoIs(pod);
    assert.equal(self.username, 'system:serviceaccount:default:default');
    assert.deepEqual(self.extra?.['authentication.kubernetes.io/node-name'], [machine.name]);
    assert.deepEqual(self.extra?.['authentication.kubernetes.io/pod-name'], [process.pod]);
    await pod.close();
  }
});

test('a process that dies is started again, and the pod tells how often', async () => {
  const machine = fleet.machines[0]!;
  const [before] = machine.processes();
  assert.equal(machine.kill('agent'), 1);
  await until('the process is another', () => {
    const [now] = machine.processes();
    return now !== undefined && now.pid !== before?.pid;
  });
  await until('the restart is counted', async () => {
    const pod = await getPod(before!.pod);
    return pod.status?.containerStatuses?.[0]?.restartCount === 1 && isPodReady(pod);
  });
});

test('a program that always fails ends up in its back-off', async () => {
  const set = processDaemonSet('failing', ['--exit', '3']);
  await admin.create('/apis/apps/v1/namespaces/default/daemonsets', set);
  await until('a pod is in CrashLoopBackOff after three starts', async () => {
    const statuses = (await pods('failing')).flatMap((pod) => pod.status?.containerStatuses ?? []);
    const backing = statuses.filter(({ state }) => state.waiting?.reason === 'CrashLoopBackOff');
    return backing.some((each) => each.restartCount >= 2 && each.lastState.terminated?.exitCode === 3);
  });
  await admin.delete('/apis/apps/v1/namespaces/default/daemonsets/failing');
  await until('its pods are gone', async () => (await pods('failing')).length === 0);
});

test("a Deployment's pods run, and move when a node is drained by eviction", async () => {
  await admin.create('/apis/apps/v1/namespaces/default/deployments', deployment('web', 10));
  await until('all ten run', async () => (await readyPods('web')).length === 10);
  const { name } = fleet.machines[1]!;
  await admin.mergePatch(`/api/v1/nodes/${name}`, { spec: { unschedulable: true } });
  for (const pod of (await pods('web')).filter((each) => each.spec.nodeName === name)) await evict(pod);
  await until('all ten run elsewhere', async () => {
    const ready = await readyPods('web');
    return ready.length === 10 && ready.every((pod) => pod.spec.nodeName !== name);
  });
  await admin.mergePatch(`/api/v1/nodes/${name}`, { spec: { unschedulable: null } });
});

test('a finished pod stays finished and is gone when it is deleted', async () => {
  const spec = {
    containers: [{ name: 'c', image: 'i' }],
    restartPolicy: 'Never',
    nodeName: fleet.machines[0]!.name,
  };
  const metadata = { name: 'once', annotations: { 'machine.careen.test/exit-code': '0' } };
  await admin.create('/api/v1/namespaces/default/pods', { apiVersion: 'v1', kind: 'Pod', metadata, spec });
  await until('it succeeded', async () => (await getPod('once')).status?.phase === 'Succeeded');
  await admin.delete('/api/v1/namespaces/default/pods/once');
  await until('it is gone', async () => !(await allPods()).some(({ metadata: { name } }) => name === 'once'));
});

test('a reboot asked for as the agent does gives a new boot, and processes were asked to end', async () => {
  const machine = fleet.machines[2]!;
  const { pod } = machine.processes()[0]!;
  const before = machine.state();
  await machine.reboot();
  const state = await machine.waitForBoot(before.boots + 1);
  await fleet.ready();
  assert.notEqual(state.bootID, before.bootID);
  assert.equal((await getNode(machine)).status?.nodeInfo?.bootID, state.bootID);
  assert.match(readFileSync(logFile(machine, pod), 'utf8'), /ended in order/u);
  const bootID = readFileSync(join(machine.directory, 'root/proc/sys/kernel/random/boot_id'), 'utf8').trim();
  assert.equal(bootID, state.bootID);
  await until('its pod runs again', async () => isPodReady(await getPod(pod)));
});

test('no process survives a power cut, and what lay on the disk does', async () => {
  const machine = fleet.machines[3]!;
  const pids = machine.processes().map(({ pid }) => pid);
  const log = logFile(machine, machine.processes()[0]!.pod);
  const ended = readFileSync(log, 'utf8').split('ended in order').length;
  const machineID = readFileSync(join(machine.directory, 'root/etc/machine-id'), 'utf8');
  await machine.cutPower();
  assert.deepEqual(pids.map(isRunning), [false]);
  assert.equal(readFileSync(log, 'utf8').split('ended in order').length, ended);
  machine.powerOn();
  await fleet.ready();
  assert.equal(readFileSync(join(machine.directory, 'root/etc/machine-id'), 'utf8'), machineID);
});

test('a machine without power or network is found NotReady by the cluster, and comes back', async () => {
  const [dark, cut] = [fleet.machines[3]!, fleet.machines[4]!];
  await dark.cutPower();
  cut.unplug();
  await until(
    'both are NotReady',
    async () => !isReady(await getNode(dark)) && !isReady(await getNode(cut)),
    {
      timeoutMs: 180_000,
      everyMs: 500,
    },
  );
  dark.powerOn();
  cut.plug();
  await fleet.ready();
  await until('all its pods are ready again', async () => (await readyPods('agent')).length === 5);
});

test('a kubelet may change nothing but its own node and the pods on it', async () => {
  const [own, other] = [fleet.machines[0]!, fleet.machines[1]!];
  const kubelet = KubeClient.load({
    kubeconfig: join(own.directory, 'kubelet.kubeconfig'),
    userAgent: 'test',
  });
  const foreign = (await pods('agent')).find((pod) => pod.spec.nodeName === other.name)!;
  const taint = { spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] } };
  const role = { metadata: { labels: { 'node-role.kubernetes.io/control-plane': '' } } };
  const attempts = await Promise.allSettled([
    kubelet.mergePatch(`/api/v1/nodes/${other.name}/status`, { status: { phase: 'Running' } }),
    kubelet.mergePatch(`/api/v1/nodes/${own.name}`, taint),
    kubelet.mergePatch(`/api/v1/nodes/${own.name}`, role),
    kubelet.delete(`/api/v1/namespaces/default/pods/${foreign.metadata.name}`, { gracePeriodSeconds: 0 }),
    kubelet.list('/api/v1/pods', { fieldSelector: `spec.nodeName=${other.name}` }),
    kubelet.get('/api/v1/namespaces/default/secrets/x'),
  ]);
  for (const attempt of attempts) {
    assert.ok(attempt.status === 'rejected' && isKubeError(attempt.reason, 'Forbidden'), inspect(attempt));
  }
  await kubelet.close();
});

test('a deleted machine leaves no process, no file and no node', async () => {
  const directories = fleet.machines.map(({ directory }) => directory);
  const pids = fleet.machines.flatMap((machine) => machine.processes().map(({ pid }) => pid));
  await fleet.delete();
  assert.deepEqual(pids.filter(isRunning), []);
  for (const directory of directories)
    assert.throws(() => readFileSync(join(directory, 'disk.img')), /ENOENT/u);
  assert.deepEqual((await admin.list<Node>('/api/v1/nodes')).items, []);
});

function getNode(machine: Machine): Promise<Node> {
  return admin.get<Node>(`/api/v1/nodes/${machine.name}`);
}

function getPod(name: string): Promise<KubeletPod> {
  return admin.get<KubeletPod>(`/api/v1/namespaces/default/pods/${name}`);
}

async function allPods(query: Record<string, string> = {}): Promise<KubeletPod[]> {
  return (await admin.list<KubeletPod>('/api/v1/namespaces/default/pods', query)).items;
}

function pods(app: string): Promise<KubeletPod[]> {
  return allPods({ labelSelector: `app=${app}` });
}

async function readyPods(app: string): Promise<KubeletPod[]> {
  return (await pods(app)).filter((pod) => isPodReady(pod) && pod.metadata.deletionTimestamp === undefined);
}

function isPodReady(pod: KubeletPod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

function evict(pod: KubeletPod): Promise<unknown> {
  const { name } = pod.metadata;
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' } };
  return admin.create(`/api/v1/namespaces/default/pods/${name}/eviction`, body);
}

interface Identity {
  username: string;
  extra?: Record<string, string[]>;
}

/** The API server may know a pod's token a moment before it knows the pod, and refuses it until then. */
async function whoIs(client: KubeClient): Promise<Identity> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  let identity: Identity | undefined;
  await until('the token is accepted', async () => {
    identity = (await client.create<{ status: { userInfo: Identity } }>(path, body)).status.userInfo;
    return true;
  });
  return identity!;
}

function startLine(machine: Machine, pod: string): { args: string[]; env: Record<string, string> } {
  const [line = ''] = readFileSync(logFile(machine, pod), 'utf8').split('\n');
  return JSON.parse(line) as { args: string[]; env: Record<string, string> };
}

function logFile(machine: Machine, pod: string): string {
  return join(machine.directory, `logs/default_${pod}_agent.log`);
}
