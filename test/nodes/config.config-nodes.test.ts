import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { HostRoot } from '#agent/boot/host-root.ts';
import { hostConfig } from '#agent/config/host-config.ts';
import type { ConfigLife } from '#agent/config/life/config-life.ts';
import type { ConfigReport } from '#agent/config/life/report.ts';
import { documentOf, file } from '#agent/config/testing/document.ts';
import { HostUnits } from '#agent/config/units/host-units.ts';
import { giveAccount } from '#agent/testing/node-account.ts';
import { RealBench } from '#agent/testing/real-bench.ts';
import { BUNDLE_NAMESPACE } from '#api/config-document.ts';
import type { ConfigDocument, DocumentUnit } from '#api/config-document.ts';
import type { ConfigPhase } from '#api/config-errors.ts';
import { bundleHash } from '#api/config-hash.ts';
import type { Node } from '#api/meta.ts';
import type { NodeStateSpec } from '#api/node-state.ts';
import { createLogger } from '#runtime/log/log.ts';

/**
 * The configuration's life on a host whose systemd is real, seen through its root directory. The agent that leads it
 * is this program: an agent that is dead is one that takes no further turn.
 */
let bench: RealBench;
let generation = 0;
let uid: string | undefined;

before(async () => {
  bench = await RealBench.start({});
  await bench.admin.create('/api/v1/namespaces', { metadata: { name: BUNDLE_NAMESPACE } });
  await giveAccount(bench.admin, 'node1');
  ({ uid } = (await bench.admin.get<Node>('/api/v1/nodes/node1')).metadata);
});
after(() => bench?.stop());

const SECRETS = `/api/v1/namespaces/${BUNDLE_NAMESPACE}/secrets`;
const SALT = 'a'.repeat(32);
const log = createLogger({ level: 'error', name: 'agent' });

/** A new agent's part: nothing of the one before but what is on the node. */
async function life(): Promise<ConfigLife> {
  const { root } = bench.machine;
  const stateDir = join(root, 'var/lib/careen');
  const host = new HostRoot({ root, stateDir, log });
  const { machineID = '' } = await host.facts();
  return hostConfig({
    root,
    stateDir,
    machineID,
    host,
    nodeName: 'node1',
    kubeconfig: bench.cluster.kubeconfig,
    systemd: true,
    client: bench.admin,
    agent: { log, now: Date.now, monotonicMs: () => performance.now(), api: undefined as never },
    onNews: () => undefined,
  });
}

/** What is wanted of the node, as its NodeState would say. */
async function wish(document: ConfigDocument): Promise<NodeStateSpec> {
  const hash = bundleHash(document, SALT);
  generation += 1;
  const node = { name: 'node1', uid };
  const bundle = gzipSync(JSON.stringify({ hash, salt: SALT, generation, node, document }));
  await bench.admin.mergePatch(`${SECRETS}/node1`, { data: { bundle: bundle.toString('base64') } });
  return { config: { hash, generation, apply: true, rendered: `rendered-${generation}` } };
}

const nothing = () => Promise.resolve(undefined);

/** Turns of the agent until it says so. */
async function drive(
  agent: ConfigLife,
  spec: NodeStateSpec,
  phases: ConfigPhase[],
): Promise<ConfigReport['config']> {
  const { signal } = new AbortController();
  for (const end = performance.now() + 90_000; performance.now() < end;) {
    const bootID = (await bench.on('cat', '/proc/sys/kernel/random/boot_id')).trim();
    const around = { bootID, spec, update: 'Idle' as const, updateStaged: false, accept: nothing };
    const { waitMs } = await agent.turn(around, signal);
    const config = agent.report()?.config;
    if (config !== undefined && phases.includes(config.phase)) return config;
    await delay(Math.min(waitMs, 500));
  }
  throw new Error(`not ${phases.join(' or ')}: ${JSON.stringify(agent.report())}`);
}

function unit(name: string, more: Partial<DocumentUnit> = {}): DocumentUnit {
  return { name, mask: false, drift: 'Heal', from: ['test'], ...more };
}

const SERVICE = `[Unit]
Description=test
[Service]
ExecStart=/bin/sleep infinity
ExecReload=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
`;

function document(text: string, more: Partial<ConfigDocument> = {}): ConfigDocument {
  return {
    ...documentOf({ files: [file('/etc/systemd/system/hello.service', text)] }),
    units: [unit('hello.service', { enabled: true, state: 'Started' })],
    disruption: [{ match: { unit: 'hello.service' }, action: 'Restart', unit: 'hello.service' }],
    confirm: { timeout: '60s', settle: '2s' },
    ...more,
  };
}

async function state(name: string): Promise<string> {
  const { stdout } = await bench.machine.exec(['systemctl', 'show', '-P', 'ActiveState', name]);
  return stdout.trim();
}

test('a unit is written, enabled and started, and counts once it holds', async () => {
  const config = await drive(await life(), await wish(document(SERVICE)), ['Applied', 'Reverted', 'Failed']);
  assert.deepEqual([config.phase, config.error], ['Applied', undefined]);
  assert.equal(await state('hello.service'), 'active');
  assert.equal(await bench.on('systemctl', 'is-enabled', 'hello.service'), 'enabled');
  const left = await bench.on(
    'sh',
    '-c',
    'ls /etc/systemd/system /etc/systemd/system/*.wants | grep careen-confirm || true',
  );
  assert.equal(left, '');
});

test('a unit that systemd does not accept changes nothing (A11)', async () => {
  const bad = SERVICE.replace('ExecStart=/bin/sleep infinity', 'ExecStart=/usr/bin/no-such-program');
  const config = await drive(await life(), await wish(document(bad)), ['Applied', 'Reverted', 'Failed']);
  assert.equal(config.error?.code, 'UnitInvalid', JSON.stringify(config));
  assert.equal(await state('hello.service'), 'active');
});

test('a unit that flaps undoes the change, and the old one runs again (A12)', async () => {
  const flaps = SERVICE.replace(
    'ExecStart=/bin/sleep infinity',
    'Restart=always\nRestartSec=0.1\nExecStart=/bin/sleep 0.3',
  );
  const wanted = document(flaps, { confirm: { timeout: '6s', settle: '4s' } });
  const config = await drive(await life(), await wish(wanted), ['Applied', 'Reverted', 'Failed']);
  assert.equal(config.error?.code, 'ProbeFailed', JSON.stringify(config));
  assert.equal(await state('hello.service'), 'active');
  assert.match(await bench.on('systemctl', 'cat', 'hello.service'), /sleep infinity/);
});

test('a reload that hangs is given up and killed, and the unit goes on (A29)', async () => {
  const units = new HostUnits(bench.machine.root);
  const began = performance.now();
  await assert.rejects(units.job('reload', 'hello.service', 1000), { code: 'ActionFailed' });
  assert.ok(performance.now() - began < 20_000);
  await bench.waitFor('the unit runs', async () => (await state('hello.service')) === 'active');
});

test('the agent, kubelet and containerd are not touched by who does not say that he means it (A17)', async () => {
  for (const name of ['kubelet.service', 'careen-confirm.timer']) {
    const wanted = document(SERVICE, { units: [unit(name, { state: 'Stopped' })] });
    const config = await drive(await life(), await wish(wanted), ['Applied', 'Reverted', 'Failed']);
    assert.equal(config.error?.code, 'CriticalRefused');
  }
});

test('a change whose agent died is undone by the host itself, and the next agent says so (A16)', async () => {
  const other = SERVICE.replace('Description=test', 'Description=other');
  const spec = await wish(document(other, { confirm: { timeout: '1s', settle: '10m' } }));
  await drive(await life(), spec, ['Confirming']);
  assert.match(await bench.on('systemctl', 'cat', 'hello.service'), /Description=other/);
  const undone = async () =>
    /Description=test/.test(await bench.on('cat', '/etc/systemd/system/hello.service'));
  await bench.waitFor('the host undoes it', undone, 120_000);
  await bench.waitFor('the unit runs as it was', async () => (await state('hello.service')) === 'active');
  const config = await drive(await life(), spec, ['Reverted', 'Degraded']);
  assert.deepEqual([config.phase, config.error?.code], ['Reverted', 'NotConfirmed']);
});

test('a change survives one boot unconfirmed; the next undoes it before the kubelet starts (A19)', async () => {
  const other = SERVICE.replace('Description=test', 'Description=booted');
  const spec = await wish(document(other, { confirm: { timeout: '30m', settle: '10m' } }));
  await drive(await life(), spec, ['Confirming']);
  const text = () => bench.on('cat', '/etc/systemd/system/hello.service');
  for (const [boot, expected] of [
    ['reboot', /booted/],
    ['cut', /Description=test/],
  ] as const) {
    const { boots } = bench.machine.state();
    if (boot === 'reboot') await bench.machine.reboot();
    else {
      await bench.machine.cutPower();
      bench.machine.powerOn();
    }
    await bench.machine.waitForBoot(boots + 1, 120_000);
    await bench.waitFor('systemd is up', async () => {
      const { stdout } = await bench.machine.exec(['systemctl', 'is-system-running']);
      return /running|degraded/.test(stdout);
    });
    assert.match(await text(), expected);
  }
  const config = await drive(await life(), spec, ['Reverted', 'Degraded']);
  assert.deepEqual([config.phase, config.error?.code], ['Reverted', 'NotConfirmed']);
  assert.equal(existsSync(join(bench.machine.root, 'var/lib/careen/confirm')), false);
});
