import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ConfigLife } from '#agent/config/life/config-life.ts';
import { documentOf, file } from '#agent/config/testing/document.ts';
import { HostUnits } from '#agent/config/units/host-units.ts';
import type { RealBench } from '#agent/testing/real-bench.ts';
import type { ConfigDocument, DocumentUnit } from '#api/config-document.ts';
import { ConfiguredNode } from './configured-node.fixture.ts';

let node: ConfiguredNode;
let bench: RealBench;

before(async () => {
  node = await ConfiguredNode.start();
  ({ bench } = node);
});
after(() => node?.stop());

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

const ON = { enabled: true, state: 'Started' } as const;

function document(text: string, more: Partial<ConfigDocument> = {}): ConfigDocument {
  return {
    ...documentOf({ files: [file('/etc/systemd/system/hello.service', text)] }),
    units: [unit('hello.service', ON)],
    disruption: [{ match: { unit: 'hello.service' }, action: 'Restart', unit: 'hello.service' }],
    confirm: { timeout: '4m', settle: '2s' },
    ...more,
  };
}

test('a unit is written, enabled and started, and counts once it holds', async () => {
  const config = await node.drive(await node.life(), await node.wish(document(SERVICE)));
  assert.deepEqual([config.phase, config.error], ['Applied', undefined]);
  assert.equal(await node.unit('hello.service'), 'active');
  assert.equal(await bench.on('systemctl', 'is-enabled', 'hello.service'), 'enabled');
  const left = await bench.on(
    'sh',
    '-c',
    'ls /etc/systemd/system /etc/systemd/system/*.wants | grep careen-confirm || true',
  );
  assert.equal(left, '');
});

/** Until the agent tells of it that others changed it, and that it is as it should be again. */
async function healed(agent: ConfigLife, path: string, kind: string): Promise<void> {
  await bench.waitFor(`${path} is healed`, async () => {
    const found = agent.report()?.config.drift?.find((one) => one.path === path);
    assert.ok(found === undefined || found.kind === kind, JSON.stringify(found));
    return found?.healed === true;
  });
}

test('a unit that somebody stops, kills, disables or masks by hand is as it should be again (A5)', async () => {
  const theirs = '/run/systemd/system/theirs.service';
  await writeFile(join(bench.machine.root, theirs), SERVICE);
  await bench.on('systemctl', 'daemon-reload');
  const units = [unit('hello.service', ON), unit('theirs.service', { state: 'Started' })];
  const spec = await node.wish(document(SERVICE, { units }));
  assert.equal((await node.drive(await node.life(), spec)).phase, 'Applied');
  for (const [name, ...how] of [
    ['hello.service', 'stop'],
    ['hello.service', 'disable'],
    ['hello.service', 'kill', '--signal=KILL'],
    ['theirs.service', 'mask', '--now'],
  ] as const) {
    const again = await node.life();
    await node.drive(again, spec);
    await bench.on('systemctl', ...how, name);
    await healed(again, name, 'Unit');
    assert.equal(await node.unit(name), 'active');
    assert.equal(await bench.on('systemctl', 'is-enabled', 'hello.service'), 'enabled');
  }
});

test('a unit that somebody rewrote is as it should be again, and systemd knows it (A5)', async () => {
  const agent = await node.life();
  await node.drive(agent, await node.wish(document(SERVICE)));
  const path = '/etc/systemd/system/hello.service';
  await bench.on(
    'sh',
    '-c',
    `sed -i s/Description=test/Description=theirs/ ${path}; systemctl daemon-reload`,
  );
  await healed(agent, path, 'Content');
  assert.equal(await node.unit('hello.service', 'Description'), 'test');
});

test('a unit that systemd does not accept changes nothing (A11)', async () => {
  const bad = SERVICE.replace('ExecStart=/bin/sleep infinity', 'ExecStart=/usr/bin/no-such-program');
  const config = await node.drive(await node.life(), await node.wish(document(bad)));
  assert.equal(config.error?.code, 'UnitInvalid', JSON.stringify(config));
  assert.equal(await node.unit('hello.service'), 'active');
});

test('a unit that flaps undoes the change, and the old one runs again (A12)', async () => {
  const flaps = SERVICE.replace(
    'ExecStart=/bin/sleep infinity',
    'Restart=always\nRestartSec=0.1\nExecStart=/bin/sleep 0.3',
  );
  const wanted = document(flaps, { confirm: { timeout: '6s', settle: '4s' } });
  const config = await node.drive(await node.life(), await node.wish(wanted));
  assert.equal(config.error?.code, 'ProbeFailed', JSON.stringify(config));
  assert.equal(await node.unit('hello.service'), 'active');
  assert.match(await bench.on('systemctl', 'cat', 'hello.service'), /sleep infinity/);
});

test('a reload that hangs is given up and killed, and the unit goes on (A29)', async () => {
  const units = new HostUnits(bench.machine.root);
  const began = performance.now();
  await assert.rejects(units.job('reload', 'hello.service', 1000), { code: 'ActionFailed' });
  // By itself systemd would wait for a minute and a half.
  assert.ok(performance.now() - began < 80_000);
  await bench.waitFor('the unit runs', async () => (await node.unit('hello.service')) === 'active');
});

test('the agent, kubelet and containerd are not touched by who does not say that he means it (A17)', async () => {
  for (const name of ['kubelet.service', 'careen-confirm.timer']) {
    const wanted = document(SERVICE, { units: [unit(name, { state: 'Stopped' })] });
    const config = await node.drive(await node.life(), await node.wish(wanted));
    assert.equal(config.error?.code, 'CriticalRefused');
  }
});

const KEEPALIVE = 'net/ipv4/tcp_keepalive_time';

function keepalive(seconds: number, more: Partial<ConfigDocument> = {}): ConfigDocument {
  const path = '/etc/sysctl.d/99-zz-careen.conf';
  const text = `${KEEPALIVE.replaceAll('/', '.')} = ${seconds}\n`;
  return document(SERVICE, {
    files: [file('/etc/systemd/system/hello.service', SERVICE), file(path, text)],
    disruption: [{ match: { path }, action: 'Restart', unit: 'systemd-sysctl.service' }],
    ...more,
  });
}

function value(): Promise<string> {
  return bench.on('cat', `/proc/sys/${KEEPALIVE}`);
}

test('a setting of the kernel that no file made is as it was, when it is undone and when it goes', async () => {
  const before = await value();
  assert.notEqual(before, '1234');
  const probes: ConfigDocument['probes'] = [{ name: 'never', command: { argv: ['false'] }, timeout: '2s' }];
  const confirm = { timeout: '3s', settle: '1s' };
  const agent = await node.life();
  const undone = await node.drive(agent, await node.wish(keepalive(1233, { probes, confirm })));
  assert.deepEqual([undone.error?.code, await value()], ['ProbeFailed', before]);
  assert.equal((await node.drive(agent, await node.wish(keepalive(1234)))).phase, 'Applied');
  assert.equal(await value(), '1234');
  assert.equal((await node.drive(agent, await node.wish(keepalive(1235)))).phase, 'Applied');
  assert.equal(await value(), '1235');
  assert.equal((await node.drive(agent, await node.wish(document(SERVICE)))).phase, 'Applied');
  assert.equal(await value(), before);
});

test('a change whose agent died is undone by the host itself, and the next agent says so (A16)', async () => {
  const other = SERVICE.replace('Description=test', 'Description=other');
  const spec = await node.wish(document(other, { confirm: { timeout: '1s', settle: '10m' } }));
  await node.drive(await node.life(), spec, ['Confirming']);
  assert.match(await bench.on('systemctl', 'cat', 'hello.service'), /Description=other/);
  const undone = async () =>
    /Description=test/.test(await bench.on('cat', '/etc/systemd/system/hello.service'));
  await bench.waitFor('the host undoes it', undone, 120_000);
  const ended = async () => (await node.unit('careen-confirm.service')) === 'inactive';
  await bench.waitFor('the host has ended it', ended, 120_000);
  assert.equal(await node.unit('hello.service'), 'active');
  const config = await node.drive(await node.life(), spec, ['Reverted', 'Degraded']);
  assert.deepEqual([config.phase, config.error?.code], ['Reverted', 'NotConfirmed']);
});

test('a change survives one boot unconfirmed; the next undoes it before the kubelet starts (A19)', async () => {
  const other = SERVICE.replace('Description=test', 'Description=booted');
  const spec = await node.wish(document(other, { confirm: { timeout: '30m', settle: '10m' } }));
  await node.drive(await node.life(), spec, ['Confirming']);
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
    await bench.machine.waitForBoot(boots + 1, 300_000);
    const isUp = async () => {
      const { stdout } = await bench.machine.exec(['systemctl', 'is-system-running']);
      return /running|degraded/.test(stdout);
    };
    await bench.waitFor('systemd is up', isUp, 240_000);
    assert.match(await text(), expected);
  }
  const config = await node.drive(await node.life(), spec, ['Reverted', 'Degraded']);
  assert.deepEqual([config.phase, config.error?.code], ['Reverted', 'NotConfirmed']);
  assert.equal(existsSync(join(bench.machine.root, 'var/lib/careen/confirm')), false);
});
