import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { isReady, type Node } from '#api/meta.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { startCluster, type Cluster } from '#test/cluster/cluster.ts';
import { isRunning } from '#test/cluster/running.ts';
import { until as untilSoon } from '#test/cluster/until.ts';
import type { KubeletPod } from '../kubelet/pod.ts';
import { setSlot, writeSlot } from '../slot-fixture.ts';
import type { RealBehaviour } from './parts/behaviour.ts';
import { buildRealOsImage } from './parts/real-os-image.ts';
import { hostPod } from './pods.fixture.ts';
import { createRealFleet, type RealFleet } from './real-fleet.ts';
import type { RealMachine } from './real-machine.ts';
import { slotEngineOf, stage } from './slot-engine.fixture.ts';
import { computerWide, devicesLeft, tracesOf } from './traces.fixture.ts';

const run = promisify(execFile);
/** Far more than anything takes on an idle computer. */
const PATIENCE_MS = 240_000;
// capabilities(7), <linux/capability.h>
const CAP_SYS_MODULE = 16n;
const CAP_SYS_TIME = 25n;
const untouched = computerWide();
let cluster: Cluster;
let admin: KubeClient;
let fleet: RealFleet;
/** When the machines got power. */
let poweredOn: number;

before(async () => {
  cluster = await startCluster();
  admin = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'test', qps: 200 });
  await Promise.all([
    image('1.0.0'),
    image('2.0.0', 'ok', 'trixie'),
    image('3.0.0', 'no-boot'),
    image('4.0.0', 'hang'),
    image('5.0.0', 'unhealthy'),
    image('6.0.0', 'no-kubelet'),
  ]);
  fleet = await createRealFleet({
    cluster,
    count: 3,
    osImage: imageFile('1.0.0'),
    zones: ['a', 'b'],
    labels: { pool: 'test' },
    times: { watchdogMs: 20_000 },
  });
  poweredOn = performance.now();
  fleet.powerOn();
  await Promise.all([fleet.ready(PATIENCE_MS), cluster.defaultServiceAccount()]);
});

after(async () => {
  await fleet?.delete();
  await admin?.close();
  await cluster?.stop();
});

test('three machines join, each with its zone, its address and the version and boot that it runs', async () => {
  for (const [index, machine] of fleet.machines.entries()) {
    const node = await getNode(machine);
    assert.equal(node.status?.nodeInfo?.bootID, machine.state().bootID);
    assert.equal(node.status?.nodeInfo?.osImage, 'Careen test OS 1.0.0');
    assert.equal(node.metadata.labels?.['topology.kubernetes.io/zone'], index % 2 === 0 ? 'a' : 'b');
    assert.equal(node.metadata.labels?.['pool'], 'test');
  }
});

test('systemd is PID 1, no unit has failed, and the clock began with the boot', async () => {
  const machine = fleet.machines[0]!;
  await until('the start has finished', async () => {
    return (await machine.exec(['systemctl', 'is-system-running'])).stdout.trim() === 'running';
  });
  const uptime = Number.parseFloat((await machine.exec(['cat', '/proc/uptime'])).stdout);
  // The offset of its clock is in whole seconds.
  assert.ok(uptime <= (performance.now() - poweredOn) / 1000 + 1, `up for ${uptime} s`);
  const { stdout } = await machine.exec(['setpriv', '--dump']);
  assert.doesNotMatch(
    stdout,
    /sys_time/u,
    'nothing on a node may set the clock, which is the whole computer’s',
  );
  assert.equal((await machine.exec(['findmnt', '-no', 'FSTYPE', '/usr'])).stdout.trim(), 'squashfs');
  assert.match((await machine.exec(['findmnt', '-no', 'SOURCE', '/'])).stdout, /p9$/mu);
});

test("nothing on a node may set the computer's clock or load modules, nor what is run there from outside", async () => {
  const machine = fleet.machines[0]!;
  for (const status of ['/proc/1/status', '/proc/self/status']) {
    const [, bounding = ''] = /^CapBnd:\t(.*)$/mu.exec((await machine.exec(['cat', status])).stdout) ?? [];
    // Never by trying: a clock has no namespace.
    assert.equal(BigInt(`0x${bounding}`) & ((1n << CAP_SYS_TIME) | (1n << CAP_SYS_MODULE)), 0n, status);
  }
});

test("a pod runs; its logs and programs are reached, and the test program's servers from within", async (context) => {
  const server = createServer((_, response) => response.end('from the host\n'));
  server.listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  const { name } = fleet.machines[0]!;
  await fleet.network.forward(8000, (server.address() as AddressInfo).port);
  const talk = 'exec 3<>/dev/tcp/10.99.0.1/8000; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3; sleep 600';
  await admin.create('/api/v1/namespaces/default/pods', hostPod('caller', name, ['/bin/bash', '-c', talk]));
  await until('the answer is in the log', async () => /from the host/u.test(await kubectl('logs', 'caller')));
  assert.match(await kubectl('exec', 'caller', '--', 'chroot', '/host', 'hostname'), new RegExp(name, 'u'));
  const [process] = fleet.machines[0]!.processes();
  assert.deepEqual([process?.pod, process?.container], ['caller', 'c']);
  assert.equal(fleet.machines[0]!.kill('c'), 1);
  await until('it has failed', async () => (await getPod('caller')).status?.phase === 'Failed');
  assert.equal(isRunning(process!.pid), false);
});

test('a reboot(2) from a privileged pod gives a new boot', async () => {
  const machine = fleet.machines[1]!;
  const before = machine.state();
  // Were it not in the node's own namespace, it would reboot the computer.
  const ours = readlinkSync('/proc/self/ns/pid');
  const reboot = 'nsenter --target 1 --mount systemctl reboot --force --force';
  // Not before the runtime has noted that it runs, or the next boot would start it, and it would reboot again.
  const wait = 'until [ -e /host/run/told ]; do sleep 0.1; done';
  const script = `[ "$(readlink /proc/1/ns/pid)" = '${ours}' ] || { ${wait}; ${reboot}; }`;
  await admin.create(
    '/api/v1/namespaces/default/pods',
    hostPod('rebooter', machine.name, ['/bin/sh', '-c', script]),
  );
  await until('its pod runs', async () => (await getPod('rebooter')).status?.phase === 'Running');
  await machine.exec(['touch', '/run/told']);
  const state = await machine.waitForBoot(before.boots + 1, PATIENCE_MS);
  await fleet.ready(PATIENCE_MS);
  assert.notEqual(state.bootID, before.bootID);
  assert.equal((await getNode(machine)).status?.nodeInfo?.bootID, state.bootID);
});

test("the agent's engine finds the disk; an image that is staged boots, and not again unless marked good", async () => {
  const machine = fleet.machines[0]!;
  const { boots } = machine.state();
  await stage(machine, imageFile('2.0.0'));
  await machine.reboot();
  assert.equal((await machine.waitForBoot(boots + 1, PATIENCE_MS)).version, '2.0.0');
  await fleet.ready(PATIENCE_MS);
  assert.equal((await getNode(machine)).status?.nodeInfo?.osImage, 'Careen test OS 2.0.0');
  assert.match((await machine.exec(['systemctl', '--version'])).stdout, /systemd 257/u);
  await machine.reboot();
  assert.equal((await machine.waitForBoot(boots + 2, PATIENCE_MS)).version, '1.0.0');
  await (await slotEngineOf(machine)).arm(1);
  await machine.reboot();
  await machine.waitForBoot(boots + 3, PATIENCE_MS);
  await (await slotEngineOf(machine)).markGood();
  await machine.reboot();
  assert.equal((await machine.waitForBoot(boots + 4, PATIENCE_MS)).version, '2.0.0');
  await fleet.ready(PATIENCE_MS);
});

test('images that do not boot or hang are tried as often as they may, then the machine falls back', async () => {
  const machine = fleet.machines[1]!;
  for (const [version, tries] of [
    ['3.0.0', 2],
    ['4.0.0', 1],
  ] as const) {
    const { boots } = machine.state();
    await machine.cutPower();
    writeSlot(machine.disk, 'USR-B', imageFile(version));
    setSlot(machine.disk, 'USR-B', 2, tries, false);
    machine.powerOn();
    const state = await machine.waitForBoot(boots + 1, PATIENCE_MS);
    assert.equal(state.version, '1.0.0');
    assert.equal(state.slots.find(({ name }) => name === 'USR-B')?.tries, 0);
  }
  await fleet.ready(PATIENCE_MS);
});

test('an unhealthy image runs pods of the host network, yet its node is never Ready; nor is one without a kubelet', async () => {
  const [machine, other] = [fleet.machines[1]!, fleet.machines[2]!];
  await Promise.all([stage(machine, imageFile('5.0.0')), stage(other, imageFile('6.0.0'))]);
  const [boots, others] = [machine.state().boots, other.state().boots];
  await Promise.all([machine.reboot(), other.reboot()]);
  const { bootID } = await machine.waitForBoot(boots + 1, PATIENCE_MS);
  await until('the node says why', async () => {
    const node = await getNode(machine);
    const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
    return node.status?.nodeInfo?.bootID === bootID && /cni/u.test(ready?.message ?? '');
  });
  const sleeper = hostPod('sleeper', machine.name, ['/bin/sleep', '600']);
  await admin.create('/api/v1/namespaces/default/pods', sleeper);
  await until('its pod runs', async () => (await getPod('sleeper')).status?.phase === 'Running');
  assert.equal(isReady(await getNode(machine)), false);
  assert.equal((await other.waitForBoot(others + 1, PATIENCE_MS)).version, '6.0.0');
  await until('the kubelet has failed', async () => {
    const { stdout } = await other.exec(['systemctl', 'show', '-P', 'NRestarts', 'kubelet']);
    return Number(stdout) > 0;
  });
  await until('that node is NotReady', async () => !isReady(await getNode(other)));
  await Promise.all([machine.reboot(), other.reboot()]);
  await Promise.all([
    machine.waitForBoot(boots + 2, PATIENCE_MS),
    other.waitForBoot(others + 2, PATIENCE_MS),
  ]);
  await fleet.ready(PATIENCE_MS);
});

test('no process survives a power cut, and what lay on the disk does', async () => {
  const machine = fleet.machines[1]!;
  const id = readFileSync(join(machine.root, 'etc/machine-id'), 'utf8');
  await machine.exec(['sh', '-c', 'echo kept >/var/lib/kept; sync']);
  const pod = hostPod('victim', machine.name, ['/bin/sleep', '600']);
  await admin.create('/api/v1/namespaces/default/pods', pod);
  await until('its pod runs', async () => (await getPod('victim')).status?.phase === 'Running');
  const victim = machine.processes().find(({ pod }) => pod === 'victim')!;
  await machine.cutPower();
  assert.equal(isRunning(victim.pid), false);
  assert.equal(machine.state().power, 'off');
  machine.powerOn();
  await fleet.ready(PATIENCE_MS);
  assert.equal(readFileSync(join(machine.root, 'etc/machine-id'), 'utf8'), id);
  assert.equal(readFileSync(join(machine.root, 'var/lib/kept'), 'utf8'), 'kept\n');
});

test('a machine that is unplugged is found NotReady, across a reboot too, and comes back', async () => {
  const machine = fleet.machines[2]!;
  const { boots } = machine.state();
  machine.unplug();
  await machine.reboot();
  await machine.waitForBoot(boots + 1, PATIENCE_MS);
  await until('it is NotReady', async () => !isReady(await getNode(machine)));
  machine.plug();
  await fleet.ready(PATIENCE_MS);
});

test('a machine that is switched off from within stays off', async () => {
  const machine = fleet.machines[2]!;
  await machine.exec(['systemctl', 'poweroff']);
  await until('it is off', () => machine.state().power === 'off');
  machine.powerOn();
  await fleet.ready(PATIENCE_MS);
});

test('a deleted fleet leaves nothing, and the computer as it was', async () => {
  const { directory } = fleet;
  const devices = devicesOf(directory);
  assert.notDeepEqual(await tracesOf(directory), []);
  await fleet.delete();
  assert.deepEqual(await tracesOf(directory), []);
  await until('none of its devices is left', () => devicesLeft(devices).length === 0);
  assert.deepEqual(computerWide(), untouched);
  assert.deepEqual((await admin.list<Node>('/api/v1/nodes')).items, []);
});

test('nothing is left of a program that is killed', async () => {
  const program = new URL('real-runner.fixture.ts', import.meta.url).pathname;
  const runner = spawn(process.execPath, [program, imageFile('1.0.0')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(runner.stdout), 'line')) as [string];
  const { directory } = JSON.parse(line) as { directory: string };
  const devices = devicesOf(directory);
  runner.kill('SIGKILL');
  await until('nothing is left', async () => (await tracesOf(directory)).length === 0);
  await until('none of its devices is left', () => devicesLeft(devices).length === 0);
});

function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  return untilSoon(what, condition, { timeoutMs: PATIENCE_MS, everyMs: 100 });
}

function imageFile(version: string): string {
  return join(cluster.directory, `${version}.img`);
}

function image(version: string, behaviour: RealBehaviour = 'ok', suite: 'bookworm' | 'trixie' = 'bookworm') {
  return buildRealOsImage({ path: imageFile(version), version, behaviour, suite });
}

function getNode(machine: RealMachine): Promise<Node> {
  return admin.get<Node>(`/api/v1/nodes/${machine.name}`);
}

function getPod(name: string): Promise<KubeletPod> {
  return admin.get<KubeletPod>(`/api/v1/namespaces/default/pods/${name}`);
}

async function kubectl(...args: string[]): Promise<string> {
  return (await run(cluster.tools.kubectl, ['--kubeconfig', cluster.kubeconfig, ...args])).stdout;
}

/** Loop devices that the kernel had made for the fleet; those below 8 it may have had before. */
function devicesOf(directory: string): string[] {
  const devices = readFileSync(join(directory, 'loops'), 'utf8').trim().split('\n');
  return [...new Set(devices)].filter((device) => Number(device.replace(/\D+/u, '')) >= 8);
}
