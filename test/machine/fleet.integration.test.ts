import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isReady, type Node } from '#api/meta.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { startCluster, type Cluster } from '#test/cluster/cluster.ts';
import { isRunning } from '#test/cluster/running.ts';
import { until } from '#test/cluster/until.ts';
import { createFleet } from './fleet.ts';
import type { KubeletPod } from './kubelet/pod.ts';
import type { MachineOptions } from './machine-options.ts';
import type { Machine } from './machine.ts';
import { buildOsImage } from './os-image.ts';
import type { RunnerConfig } from './runner.fixture.ts';
import { createMachine } from './simulated-machine.ts';
import { setSlot, writeSlot } from './slot-fixture.ts';
import { processDaemonSet } from './workload-fixture.ts';

const program = new URL('test-program.fixture.ts', import.meta.url).pathname;
let cluster: Cluster;
let admin: KubeClient;
let osImage: string;
const machines: Machine[] = [];

before(async () => {
  cluster = await startCluster();
  admin = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'test', qps: 200 });
  osImage = join(cluster.directory, 'os.img');
  await buildOsImage({ path: osImage, version: '1.0.0', bulkMiB: 1 });
  await cluster.defaultServiceAccount();
});

after(async () => {
  await Promise.all(machines.map((machine) => machine.delete()));
  await admin?.close();
  await cluster?.stop();
});

test('twenty machines live in one program', async (context) => {
  const before = process.memoryUsage().rss;
  const began = performance.now();
  const fleet = await createFleet({ cluster, count: 20, osImage, usrMiB: 8, times: { leaseMs: 5000 } });
  fleet.powerOn();
  await fleet.ready();
  const readyMs = performance.now() - began;
  const cpu = process.cpuUsage();
  await sleep(5000); // a span to measure, not something to wait for
  const used = process.cpuUsage(cpu);
  const percent = (used.user + used.system) / 5000 / 10;
  const megabytes = (process.memoryUsage().rss - before) / 1e6;
  context.diagnostic(
    `20 machines: all Ready after ${(readyMs / 1000).toFixed(1)} s; idle ${percent.toFixed(1)} % of a core, ` +
      `${megabytes.toFixed(0)} MB more than without`,
  );
  await fleet.delete();
  assert.ok(percent < 20, `${percent} % of a core`);
});

test('a machine of the control plane has no slots, and carries role and taint', async () => {
  const machine = await start('control', { osImage: undefined, role: 'control-plane' });
  await until('it has its role', async () => {
    const node = await getNode('control');
    return node.metadata.labels?.['node-role.kubernetes.io/control-plane'] === '';
  });
  const taints = (await getNode('control')).spec?.taints ?? [];
  const role = taints.find(({ key }) => key === 'node-role.kubernetes.io/control-plane');
  assert.equal(role?.effect, 'NoSchedule');
  assert.deepEqual(machine.state().slots, []);
  await machine.delete();
});

test('a static pod has a mirror, which comes back when it is deleted', async () => {
  const spec = { containers: [{ name: 'c', image: 'i' }] };
  const machine = await start('statics', { staticPods: [{ name: 'fixed', namespace: 'default', spec }] });
  const first = await podOnceReady('fixed-statics');
  assert.equal(first.metadata.annotations?.['kubernetes.io/config.mirror'], 'fixed');
  await admin.delete('/api/v1/namespaces/default/pods/fixed-statics');
  await until('it is another mirror', async () => {
    return (await podOnceReady('fixed-statics')).metadata.uid !== first.metadata.uid;
  });
  await machine.delete();
});

test('an unhealthy image boots, its pods on the host network run, and the node stays NotReady', async () => {
  const unhealthy = join(cluster.directory, 'unhealthy.img');
  await buildOsImage({ path: unhealthy, version: '2.0.0', behaviour: 'unhealthy', bulkMiB: 1 });
  const machine = await start('ill', { programs: { agent: program } });
  await admin.create('/apis/apps/v1/namespaces/default/daemonsets', processDaemonSet('ill'));
  await until('its process runs', () => machine.processes().length === 1);
  writeSlot(machine.disk!, 'USR-B', unhealthy);
  setSlot(machine.disk!, 'USR-B', 2, 1, false);
  await machine.reboot();
  const state = await machine.waitForBoot(2);
  assert.deepEqual([state.running, state.version], ['USR-B', '2.0.0']);
  await until('its process runs again', () => machine.processes().length === 1);
  await until('the API knows of the boot', async () => {
    return (await getNode('ill')).status?.nodeInfo?.bootID === state.bootID;
  });
  const node = await getNode('ill');
  assert.equal(isReady(node), false);
  await admin.delete('/apis/apps/v1/namespaces/default/daemonsets/ill');
  await machine.delete();
});

test('a machine that rebooted out of a bad slot counts one boot', async () => {
  const broken = join(cluster.directory, 'broken.img');
  await buildOsImage({ path: broken, version: '2.0.0', behaviour: 'no-boot', bulkMiB: 1 });
  const machine = await start('fallback', { times: { resetMs: 10 } });
  writeSlot(machine.disk!, 'USR-B', broken);
  setSlot(machine.disk!, 'USR-B', 2, 3, false);
  await machine.reboot();
  const state = await machine.waitForBoot(2);
  assert.deepEqual([state.boots, state.running, state.version], [2, 'USR-A', '1.0.0']);
  assert.deepEqual(state.slots[1], { name: 'USR-B', priority: 2, tries: 0, successful: false });
  await machine.delete();
});

test('a program that is killed takes its machines with it: processes and files', async () => {
  await admin.create('/apis/apps/v1/namespaces/default/daemonsets', processDaemonSet('doomed'));
  const credential = await cluster.issueClientCert({ user: 'system:node:doomed1', groups: ['system:nodes'] });
  const { url, caPem, kubeconfig } = cluster;
  const given = { cluster: { url, caPem, kubeconfig }, credential, prefix: 'doomed', osImage, program };
  const config = join(cluster.directory, 'runner.json');
  writeFileSync(config, JSON.stringify(given satisfies RunnerConfig));
  const fixture = new URL('runner.fixture.ts', import.meta.url).pathname;
  const runner = spawn(process.execPath, [fixture, config], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(runner.stdout), 'line')) as [string];
  const { directory, pids } = JSON.parse(line) as { directory: string; pids: number[] };
  assert.deepEqual(pids.map(isRunning), [true]);
  runner.kill('SIGKILL');
  await until('nothing is left', () => !pids.some(isRunning) && !existsSync(directory));
});

async function start(name: string, options: Partial<MachineOptions>): Promise<Machine> {
  const directory = join(cluster.directory, name);
  const machine = await createMachine({ cluster, name, directory, osImage, usrMiB: 8, ...options });
  machines.push(machine);
  machine.powerOn();
  await machine.waitForBoot(1);
  await until(`${name} has registered`, async () => (await getNode(name)) !== undefined);
  return machine;
}

function getNode(name: string): Promise<Node> {
  return admin.get<Node>(`/api/v1/nodes/${name}`);
}

async function podOnceReady(name: string): Promise<KubeletPod> {
  const path = `/api/v1/namespaces/default/pods/${name}`;
  const ready = async (): Promise<boolean> => {
    const { status } = await admin.get<KubeletPod>(path);
    return status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ?? false;
  };
  await until(`${name} is ready`, ready);
  return admin.get<KubeletPod>(path);
}
