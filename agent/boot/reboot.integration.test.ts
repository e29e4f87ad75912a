import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import dbus from 'dbus-native';
import { until } from '#test/cluster/until.ts';
import { RebootError } from './host.ts';
import type { RebootErrorCode } from './host.ts';
import { rebootHost } from './reboot.ts';

const daemon = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((path) => join(path, 'dbus-daemon'))
  .find(existsSync);
const skip =
  daemon === undefined ? 'no dbus-daemon on the path (Debian: apt-get install dbus-daemon)' : false;

type Client = ReturnType<typeof dbus.createClient>;

let root: string;
let bus: ChildProcess | undefined;
let login1: Client | undefined;
let systemd: Server | undefined;
/** What was asked of whom. */
let calls: string[] = [];
let locks: unknown[] = [];
let refusal: string | undefined;

const LOGIN1 = 'org.freedesktop.login1';

const config = (
  path: string,
) => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>unix:path=${path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'careen-dbus-'));
  const socket = join(root, 'run/dbus/system_bus_socket');
  for (const directory of ['run/dbus', 'run/systemd'])
    await mkdir(join(root, directory), { recursive: true });
  if (daemon === undefined) return console.log(`skipped: ${String(skip)}`);
  await writeFile(join(root, 'bus.conf'), config(socket));
  bus = spawn(daemon, [`--config-file=${join(root, 'bus.conf')}`, '--nofork', '--nopidfile'], {
    stdio: 'ignore',
  });
  await until('the bus listens', () => listens(socket));
  login1 = await logind(socket);
});

after(async () => {
  login1?.connection.end();
  systemd?.close();
  bus?.kill();
  await rm(root, { recursive: true, force: true });
});

afterEach(() => {
  calls = [];
  locks = [];
  refusal = undefined;
});

/** The socket is there a moment before anybody listens at it. */
async function listens(socket: string): Promise<boolean> {
  const connection = connect(socket);
  try {
    await once(connection, 'connect');
    return true;
  } finally {
    connection.destroy();
  }
}

/** A login1 that notes what it is asked. */
async function logind(socket: string): Promise<Client> {
  const own = dbus.createClient({ socket, authMethods: ['EXTERNAL'], timeout: 60_000 });
  await own.requestName(LOGIN1, 0);
  const manager = {
    Reboot(interactive: boolean): void {
      calls.push(`logind: Reboot ${interactive}`);
      if (refusal !== undefined) throw Object.assign(new Error('not now'), { dbusName: refusal });
    },
    ListInhibitors: () => locks,
  };
  const methods = { Reboot: ['b', ''], ListInhibitors: ['', 'a(ssssuu)'] };
  own.exportInterface(manager, '/org/freedesktop/login1', { name: `${LOGIN1}.Manager`, methods } as never);
  return own;
}

/** A systemd behind its private socket: nobody says Hello, and nobody names a destination. */
function privateSystemd(lateMs = 0): Promise<void> {
  const manager = {
    StartUnit(unit: string, mode: string): string {
      calls.push(`systemd: StartUnit ${unit} ${mode}`);
      return '/org/freedesktop/systemd1/job/1';
    },
  };
  const description = { name: 'org.freedesktop.systemd1.Manager', methods: { StartUnit: ['ss', 'o'] } };
  const server = createServer((stream) => {
    if (lateMs > 0) answerLate(stream, lateMs);
    const peer = dbus.createClient({ stream, server: true, direct: true });
    peer.connection.on('error', () => undefined);
    peer.exportInterface(manager, '/org/freedesktop/systemd1', description as never);
  });
  systemd = server;
  return new Promise((resolve) => server.listen(join(root, 'run/systemd/private'), resolve));
}

/** As a process does that gets its turn only now and then. */
function answerLate(stream: Socket, lateMs: number): void {
  const write = stream.write.bind(stream);
  stream.write = (bytes: string | Uint8Array) => {
    setTimeout(() => stream.writable && write(bytes), lateMs);
    return true;
  };
}

async function refuses(code: RebootErrorCode, message: RegExp): Promise<void> {
  await assert.rejects(rebootHost(root), (error) => {
    assert.ok(error instanceof RebootError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

test('logind is asked to reboot, without a question to anybody', { skip }, async () => {
  await rebootHost(root);
  assert.deepEqual(calls, ['logind: Reboot false']);
});

test('a block lock is honoured, and its holder named; a delay lock is left to logind', { skip }, async () => {
  locks = [
    ['shutdown', 'kubelet', 'pods end first', 'delay', 0, 7],
    ['sleep:shutdown', 'backup', 'a snapshot is taken', 'block', 0, 8],
    ['sleep', 'film', 'is shown', 'block', 1000, 9],
  ];
  await refuses('Inhibited', /by backup \(process 8: a snapshot is taken\) \(systemd-inhibit --list\)$/);
  assert.deepEqual(calls, []);
  locks = locks.slice(0, 1);
  await rebootHost(root);
  assert.deepEqual(calls, ['logind: Reboot false']);
});

test('a refusal says why', { skip }, async () => {
  refusal = 'org.freedesktop.DBus.Error.AccessDenied';
  await refuses('Refused', /AccessDenied: not now/);
});

test('without logind and without systemd the error names both ways', { skip }, async () => {
  await login1?.releaseName(LOGIN1);
  await refuses('Unreachable', /logind.*systemd1.*systemd\/private.*\/run mounted/);
});

test('without a bus systemd itself is told to reach reboot.target, over its private socket', async () => {
  bus?.kill();
  await until('the bus is gone', () => bus === undefined || bus.exitCode !== null || bus.signalCode !== null);
  await privateSystemd();
  await rebootHost(root);
  assert.deepEqual(calls, ['systemd: StartUnit reboot.target replace-irreversibly']);
});

test('a systemd whose answers come late is one that answers', async () => {
  systemd?.close();
  await privateSystemd(300);
  await rebootHost(root);
  assert.deepEqual(calls, ['systemd: StartUnit reboot.target replace-irreversibly']);
});
