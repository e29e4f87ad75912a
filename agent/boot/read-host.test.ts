import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { nodeStateStatus } from '#api/node-state.ts';
import { createLogger } from '#runtime/log/log.ts';
import { HostRoot } from './host-root.ts';
import type { HostRootOptions } from './host-root.ts';
import { RebootError } from './host.ts';
import { parseOsRelease } from './os-release.ts';
import { readHostFacts, readUptimeMs } from './read-host.ts';

test('os-release is read with and without quotes', () => {
  const values = parseOsRelease(
    '# c\nID=flatcar\nNAME="Flatcar \\"Linux\\""\nVERSION_ID=4593.1.0\r\nX=\'a b\'\nbad line\n',
  );
  assert.deepEqual(Object.fromEntries(values), {
    ID: 'flatcar',
    NAME: 'Flatcar "Linux"',
    VERSION_ID: '4593.1.0',
    X: 'a b',
  });
});

test('a host is read from its root directory, and what it does not have is left out', async () => {
  const root = await mkdtemp(join(tmpdir(), 'careen-host-'));
  const put = async (path: string, text: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  await put('proc/sys/kernel/random/boot_id', 'b-1\n');
  await put('usr/lib/os-release', 'ID=x\nVERSION_ID="1.2"\n');
  assert.deepEqual(await readHostFacts(root), { bootID: 'b-1', os: { id: 'x', version: '1.2' } });
  assert.equal(await readUptimeMs(root), undefined);
  await put('proc/uptime', '12.50 40.00\n');
  await put('etc/machine-id', 'm\n');
  await put('proc/sys/kernel/osrelease', '6.12\n');
  assert.equal(await readUptimeMs(root), 12_500);
  assert.deepEqual(await readHostFacts(root), {
    bootID: 'b-1',
    machineID: 'm',
    os: { id: 'x', version: '1.2', kernel: '6.12' },
  });
  const long = 'x'.repeat(5000);
  await put('usr/lib/os-release', `ID=${long}\nVERSION_ID=${long}\n`);
  for (const path of ['proc/sys/kernel/random/boot_id', 'etc/machine-id', 'proc/sys/kernel/osrelease'])
    await put(path, long);
  assert.ok(nodeStateStatus.safeParse(await readHostFacts(root)).success, 'status takes whatever is there');
  await rm(root, { recursive: true });
});

function host(options: Partial<HostRootOptions>): HostRoot {
  const log = createLogger({ level: 'error', name: 'test' });
  return new HostRoot({ root: '/', stateDir: '/tmp', log, ...options });
}

test('a reboot command that fails is an error of its own, and a prefix goes before what runs on the host', async () => {
  await host({ rebootCommand: ['true'] }).reboot();
  const refused = host({ rebootCommand: ['sh', '-c', 'echo not now; exit 1'] }).reboot();
  await assert.rejects(refused, (error) => error instanceof RebootError && /not now/.test(error.message));
  const prefixed = host({ commandPrefix: ['echo', 'on the host:'] });
  assert.equal(
    (await prefixed.run(['ls'], new AbortController().signal, 60_000)).output,
    'on the host: ls\n',
  );
});
