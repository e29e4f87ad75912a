import assert from 'node:assert/strict';
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { DocumentKeys } from '#api/config-document.ts';
import { createLogger } from '#runtime/log/log.ts';
import { until } from '#test/cluster/until.ts';
import { readLocalPolicy } from '../paths/local-policy.ts';
import { change } from '../testing/changing.ts';
import { documentOf, file } from '../testing/document.ts';
import { TestHost } from '../testing/host.ts';
import { noUnits } from '../units/no-units.ts';
import { DriftGuard } from './drift-guard.ts';

const skip = process.getuid?.() === 0 ? false : 'owners of files need root';
const KEYS = '/home/core/.ssh/authorized_keys';
const log = createLogger({ name: 'test' });
log.silent = true;

async function guarded(context: TestContext, drift: DocumentKeys['drift']) {
  const host = await TestHost.make();
  const files = host.files();
  const policy = () => readLocalPolicy(host.tree);
  const guard = new DriftGuard({ tree: host.tree, files, units: noUnits, policy, log, onChange: () => {} });
  context.after(async () => {
    await guard.stop();
    await host[Symbol.asyncDispose]();
  });
  await host.write(KEYS, 'ssh-ed25519 AAAA own\n', 0o600);
  const authorizedKeys = [{ user: 'core', keys: ['ssh-ed25519 BBBB ours'], drift, from: ['c'] }];
  await change(host, { ...documentOf({ files: [file('/etc/a', 'ours')] }), authorizedKeys });
  return { host, guard };
}

function told({ drift }: DriftGuard) {
  return drift.map(({ path, kind, healed, error }) => [path, kind, healed, error?.code]);
}

for (const [what, kind, damage] of [
  ['a key that somebody took out', 'Content', (text: string) => text.replace(/.*ours\n/, '')],
  ['a key that somebody swapped', 'Content', (text: string) => text.replace('BBBB', 'CCCC')],
  ['all of them', 'Content', () => 'ssh-ed25519 AAAA own\n'],
  ['the file that somebody removed', 'Missing', undefined],
] as const) {
  test(`${what} comes back, and keys of others stay (A5)`, { skip }, async (context) => {
    const { host, guard } = await guarded(context, 'Heal');
    const before = await readFile(host.at(KEYS), 'utf8');
    if (damage === undefined) await rm(host.at(KEYS));
    else await writeFile(host.at(KEYS), damage(before));
    await guard.look();
    assert.deepEqual(told(guard), [[KEYS, kind, true, undefined]]);
    const after = await readFile(host.at(KEYS), 'utf8');
    assert.equal(after, damage === undefined ? before.replace('ssh-ed25519 AAAA own\n', '') : before);
  });
}

test(
  'keys that the user adds are no drift, and those of Careen are told or ignored',
  { skip },
  async (context) => {
    for (const [drift, expected] of [
      ['Report', [[KEYS, 'Content', false, undefined]]],
      ['Ignore', []],
    ] as const) {
      const { host, guard } = await guarded(context, drift);
      const text = await readFile(host.at(KEYS), 'utf8');
      await writeFile(host.at(KEYS), `${text}ssh-ed25519 DDDD mine\n`);
      await guard.look();
      assert.deepEqual(told(guard), []);
      await writeFile(host.at(KEYS), 'ssh-ed25519 DDDD mine\n');
      await guard.look();
      assert.deepEqual(told(guard), expected);
      assert.equal(await readFile(host.at(KEYS), 'utf8'), 'ssh-ed25519 DDDD mine\n');
    }
  },
);

test(
  'a user who leads the keys elsewhere gains nothing by it, nor keeps files from it (A7)',
  { skip },
  async (context) => {
    const { host, guard } = await guarded(context, 'Heal');
    await host.write('/etc/victim/authorized_keys', 'theirs');
    await rm(host.at('/home/core/.ssh'), { recursive: true });
    await symlink('/etc/victim', host.at('/home/core/.ssh'));
    await writeFile(host.at('/etc/a'), 'theirs');
    await guard.look();
    assert.deepEqual(told(guard), [
      ['/etc/a', 'Content', true, undefined],
      [KEYS, 'Type', false, 'SymlinkInPath'],
    ]);
    assert.equal(await readFile(host.at('/etc/victim/authorized_keys'), 'utf8'), 'theirs');
  },
);

test('a user who is gone is named, and files are healed all the same', { skip }, async (context) => {
  const { host, guard } = await guarded(context, 'Heal');
  await host.write('/etc/passwd', 'root:x:0:0::/root:/bin/sh\n');
  await writeFile(host.at('/etc/a'), 'theirs');
  await guard.look();
  assert.deepEqual(told(guard), [
    ['/etc/a', 'Content', true, undefined],
    ['authorized_keys of core', 'Missing', false, 'UnknownOwner'],
  ]);
  assert.equal(await readFile(host.at('/etc/a'), 'utf8'), 'ours');
});

test('inotify brings a key that is gone to light within seconds', { skip }, async (context) => {
  const { host, guard } = await guarded(context, 'Heal');
  await guard.start();
  await writeFile(host.at(KEYS), '');
  await until('the key is back', async () => /ours/.test(await readFile(host.at(KEYS), 'utf8')));
});
