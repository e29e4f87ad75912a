import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import dbus from 'dbus-native';
import { until } from '#test/cluster/until.ts';
import { RebootError } from './host.ts';
import { rebootByLogind } from './logind.ts';

const daemon = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((path) => join(path, 'dbus-daemon'))
  .find(existsSync);
const skip =
  daemon === undefined ? 'no dbus-daemon on the path (Debian: apt-get install dbus-daemon)' : false;

let directory: string;
let socket: string;
let bus: ChildProcess | undefined;
let service: ReturnType<typeof dbus.createClient> | undefined;
/** Calls of Reboot, by their argument. */
const calls: boolean[] = [];
let refusing = false;

const config = (
  path: string,
) => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>unix:path=${path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'careen-dbus-'));
  socket = join(directory, 'system_bus_socket');
  if (daemon === undefined) return console.log(`skipped: ${String(skip)}`);
  await writeFile(join(directory, 'bus.conf'), config(socket));
  bus = spawn(daemon, [`--config-file=${join(directory, 'bus.conf')}`, '--nofork', '--nopidfile'], {
    stdio: 'ignore',
  });
  await until('the bus listens', () => existsSync(socket));
  service = await login1();
});

after(async () => {
  service?.connection.end();
  bus?.kill();
  await rm(directory, { recursive: true, force: true });
});

/** A login1 that notes what it is asked. */
async function login1() {
  const own = dbus.createClient({ socket, authMethods: ['EXTERNAL'], timeout: 5000 });
  await own.requestName('org.freedesktop.login1', 0);
  const manager = {
    Reboot(interactive: boolean): void {
      calls.push(interactive);
      if (!refusing) return;
      throw Object.assign(new Error('Operation inhibited'), {
        dbusName: 'org.freedesktop.login1.OperationInhibited',
      });
    },
  };
  const description = { name: 'org.freedesktop.login1.Manager', methods: { Reboot: ['b', ''] } };
  own.exportInterface(manager, '/org/freedesktop/login1', description as never);
  return own;
}

test('logind is asked to reboot, without a question to anybody', { skip }, async () => {
  await rebootByLogind(socket);
  assert.deepEqual(calls, [false]);
});

test('a refusal says why', { skip }, async () => {
  refusing = true;
  await assert.rejects(rebootByLogind(socket), (error) => {
    assert.ok(error instanceof RebootError);
    assert.equal(error.code, 'Refused');
    assert.match(error.message, /inhibited/);
    return true;
  });
});

test('a bus that is not there is not a refusal', async () => {
  const absent = rebootByLogind(join(directory, 'absent'));
  await assert.rejects(absent, (error) => error instanceof RebootError && error.code === 'Unreachable');
});
