import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { HealthGate } from '#api/health.ts';
import type { Pod } from '#api/meta.ts';
import { hostPod } from '#test/machine/real/pods.fixture.ts';
import { shortenDeadman, unshortenDeadman } from '#test/nodes/holds.fixture.ts';
import { RealBench } from './testing/real-bench.ts';

/** The agent in the pod of its DaemonSet on a node whose systemd, kubelet and containerd are real. */
let bench: RealBench;
/** The boot that the agent ended first. */
let lastBoot: string | undefined;

before(async () => {
  bench = await RealBench.start({ '2.0.0': 'ok', '3.0.0': 'ok', '4.0.0': 'no-kubelet' });
});
after(() => bench?.stop());

const command = (name: string, ...argv: string[]): HealthGate['checks'][number] => ({
  name,
  command: { argv },
  timeout: '30s',
});

/** What of the agent is on the host: units that run, failed or wait, files of units, and state besides the record. */
async function traces(): Promise<string> {
  const units = await bench.on('systemctl', 'list-units', '--plain', '--no-legend', 'careen-*');
  const files = await bench.on('sh', '-c', 'ls /etc/systemd/system /etc/systemd/system/timers.target.wants');
  const state = await bench.on('ls', '/var/lib/careen');
  return `${units} ${files} ${state}`
    .split(/\s+/)
    .filter((word) => /careen|deadman|check/.test(word))
    .join(' ');
}

test('in its pod the agent finds the disk and the slot that runs, and tells the host’s facts', async () => {
  const { status } = await bench.phaseIs('Idle');
  assert.equal(status?.engine, 'gpt');
  assert.deepEqual(
    status.slots?.map(({ name, booted, successful, version }) => ({ name, booted, successful, version })),
    [
      { name: 'USR-A', booted: true, successful: true, version: '1.0.0' },
      { name: 'USR-B', booted: false, successful: false, version: undefined },
    ],
  );
  assert.equal(status.bootID, bench.machine.state().bootID);
  assert.equal(status.machineID, await bench.on('cat', '/etc/machine-id'));
  assert.equal(status.os?.version, '1.0.0');
});

test('an agent that is asked to end ends at once, and the next goes on', async () => {
  await bench.want('2.0.0', {
    gate: {
      deadline: '10m',
      checks: [
        { name: 'node-ready', nodeReady: {}, timeout: '30s' },
        command('version', 'grep', '-q', '2.0.0', '/usr/lib/os-release'),
        command('systemd', 'systemctl', 'is-active', 'kubelet.service'),
        command('state', 'test', '-w', '/var/lib/careen'),
      ],
    },
  });
  await bench.waitFor('the slot is being written', async () => {
    return (await bench.read()).status?.update?.phase !== 'Idle';
  });
  const { ms, programMs } = await bench.endAgent();
  console.log(`the agent ended in ${Math.round(ms)} ms, a program took ${Math.round(programMs)} ms`);
  // An agent that waits for somebody takes ten seconds or more. What it has just written of the slot it brings to the
  // disk first, and a node with much to do takes its time for all it runs.
  assert.ok(ms < 8000 + 30 * programMs, `it took ${ms} ms, a program ${programMs} ms`);
  await bench.phase('Staged', '2.0.0');
});

/** Takes a lock against shutting down, as another program on the node; let go when its unit is stopped. */
async function inhibit(who: string, mode: 'block' | 'delay'): Promise<void> {
  const lock = [`--who=${who}`, '--what=shutdown', `--mode=${mode}`, '--why=a snapshot is taken'];
  await bench.on('systemd-run', `--unit=${who}`, 'systemd-inhibit', ...lock, 'sleep', 'infinity');
  const held = async () => (await bench.on('systemd-inhibit', '--list')).includes(who);
  await bench.waitFor(`${who} holds its lock`, held);
}

/** A pod that takes its time to end, and leaves word of it on the node. */
async function slowToEnd(name: string): Promise<void> {
  const leave = `sleep 2; echo "ended in $(cat /host/proc/sys/kernel/random/boot_id)" >/host/var/lib/${name}`;
  const script = `trap '${leave}; exit 1' TERM; while :; do sleep 0.1; done`;
  await bench.admin.create(PODS, hostPod(name, bench.machine.name, ['/bin/sh', '-c', script]));
  await bench.waitFor(`${name} runs`, async () => (await podOf(name)).status?.phase === 'Running');
}

const PODS = '/api/v1/namespaces/default/pods';

interface EndedPod extends Pod {
  status?: Pod['status'] & { reason?: string; message?: string };
}

function podOf(name: string): Promise<EndedPod> {
  return bench.admin.get<EndedPod>(`${PODS}/${name}`);
}

test('a lock that blocks holds the reboot, is named, and is waited for; one that delays gets its time', async () => {
  await slowToEnd('slow');
  await inhibit('backup', 'block');
  await inhibit('kubelet-like', 'delay');
  const { bootID } = bench.machine.state();
  lastBoot = bootID;
  await bench.grant();
  await bench.waitFor('the agent is held', async () => (await bench.log()).includes('a snapshot is taken'));
  const { status } = await bench.read();
  assert.equal(status?.update?.phase, 'Rebooting');
  assert.equal(bench.machine.state().bootID, bootID);
  assert.match(await traces(), /careen-deadman\.service careen-deadman\.timer careen-deadman\.timer deadman/);
  await bench.on('systemctl', 'stop', 'backup.service');
  await bench.phase('Succeeded', '2.0.0');
  const before = await bench.on('journalctl', '-b', '-1', '-o', 'cat', '--no-pager', '-u', 'systemd-logind');
  assert.match(before, /Delay lock is active .* but inhibitor timeout is reached/);
});

test('the kubelet had its time to end the pods that were still there, each in its own, before the node went down', async () => {
  const word = await bench.on('cat', '/var/lib/slow');
  assert.equal(word, `ended in ${lastBoot}`);
  const { status } = await podOf('slow');
  assert.equal(status?.reason, 'Terminated', JSON.stringify(status));
  assert.match(status.message ?? '', /imminent node shutdown/);
});

test('after 2.0.0 is good, its checks having run as units of the host, nothing of the agent is left on it', async () => {
  const { status } = await bench.read();
  assert.deepEqual(
    status?.health?.checks.map(({ name, passed }) => `${name} ${passed}`),
    ['node-ready true', 'version true', 'systemd true', 'state true'],
  );
  // The journal is told, not asked: it may hear of it later than we do.
  await bench.waitFor('the journal has the checks', async () => {
    const journal = await bench.on('journalctl', '-b', '-o', 'cat', '--no-pager', '-u', 'careen-check-*');
    return journal.includes('Careen: a health check (/usr/bin/grep)');
  });
  assert.equal(await traces(), '');
  assert.match(await bench.on('systemctl', '--version'), /^systemd 257/);
});

test('without logind and without a bus, the agent reboots through systemd itself', async () => {
  await bench.want('3.0.0', { gate: { deadline: '10m', checks: [command('true', 'true')] } });
  await bench.phase('Staged', '3.0.0');
  await bench.on(
    'systemctl',
    'mask',
    '--runtime',
    '--now',
    'dbus.socket',
    'dbus.service',
    'systemd-logind.service',
  );
  const left = await bench.on('systemctl', 'is-active', 'dbus.service', 'systemd-logind.service');
  assert.equal(left, 'inactive\ninactive');
  await bench.grant();
  await bench.phase('Succeeded', '3.0.0');
});

test('a version whose kubelet never comes up is taken back by the deadman on the host', async () => {
  await shortenDeadman(bench.machine);
  await bench.want('4.0.0', { gate: { deadline: '10s', checks: [command('true', 'true')] } });
  await bench.phase('Staged', '4.0.0');
  await bench.grant();
  const { status } = await bench.phase('RolledBack', '4.0.0', 600_000);
  assert.equal(status?.os?.version, '3.0.0');
  assert.equal(status.update?.error?.code, 'BootFailed');
  assert.match(status.update.error.message, /without its agent/);
  const fired = await bench.on('journalctl', '-o', 'cat', '--no-pager', '-u', 'careen-deadman.service');
  assert.match(fired, /Finished careen-deadman\.service/);
  await unshortenDeadman(bench.machine);
  assert.equal(await traces(), '');
});
