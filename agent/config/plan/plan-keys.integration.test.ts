import assert from 'node:assert/strict';
import { readFile, stat, symlink } from 'node:fs/promises';
import { test } from 'node:test';
import type { ConfigDocument } from '#api/config-document.ts';
import { ConfigError } from '../config-error.ts';
import { documentOf } from '../testing/document.ts';
import { TestHost } from '../testing/host.ts';
import { describeChanges } from './describe-changes.ts';

const skip = process.getuid?.() === 0 ? false : 'owners of files need root';
const KEYS = '/home/core/.ssh/authorized_keys';

function keysOf(user: string, ...keys: string[]): ConfigDocument {
  return { ...documentOf({}), authorizedKeys: [{ user, keys, drift: 'Heal', from: ['c'] }] };
}

async function apply(host: TestHost, document: ConfigDocument): Promise<void> {
  const files = host.files();
  const transaction = await files.prepare({ document, plan: await files.plan(document), meta: {} });
  await transaction.switch();
  await transaction.keep();
}

test('keys join those of the user, and leave them behind when they go', { skip }, async () => {
  await using host = await TestHost.make();
  await host.write(KEYS, 'ssh-ed25519 AAAA own\n', 0o600);
  await apply(host, keysOf('core', 'ssh-ed25519 BBBB ours'));
  assert.match(
    await readFile(host.at(KEYS), 'utf8'),
    /^ssh-ed25519 AAAA own\n# .*\nssh-ed25519 BBBB ours\n# .*\n$/,
  );
  assert.deepEqual((await host.files().plan(keysOf('core', 'ssh-ed25519 BBBB ours'))).changes, []);
  await apply(host, documentOf({}));
  assert.equal(await readFile(host.at(KEYS), 'utf8'), 'ssh-ed25519 AAAA own\n');
});

test('a user without keys gets the file and its directory as sshd wants them', { skip }, async () => {
  await using host = await TestHost.make();
  await host.write('/home/core/.profile', '');
  const plan = await host.files().plan(keysOf('core', 'ssh-ed25519 BBBB ours'));
  const described = await describeChanges(host.tree, plan);
  assert.deepEqual(
    described.map(({ kind, name, change }) => `${change} ${kind} ${name}`),
    ['Create AuthorizedKeys core', 'Create AuthorizedKeys core'],
  );
  await apply(host, keysOf('core', 'ssh-ed25519 BBBB ours'));
  const directory = await stat(host.at('/home/core/.ssh'));
  const file = await stat(host.at(KEYS));
  assert.deepEqual(
    [directory.mode & 0o777, directory.uid, file.mode & 0o777, file.uid, file.gid],
    [0o700, 500, 0o600, 500, 501],
  );
});

test('a user whom the host does not know, or who has no home, is named (A10)', { skip }, async () => {
  await using host = await TestHost.make();
  for (const user of ['nobody-here', 'core'])
    await assert.rejects(host.files().plan(keysOf(user, 'ssh-ed25519 BBBB')), (error) => {
      return error instanceof ConfigError && error.code === 'UnknownOwner' && error.message.includes(user);
    });
});

test('a user cannot lead the keys elsewhere with a link (A7)', { skip }, async () => {
  await using host = await TestHost.make();
  await host.write('/etc/victim/authorized_keys', 'theirs');
  await host.write('/home/core/.profile', '');
  await symlink('/etc/victim', host.at('/home/core/.ssh'));
  await assert.rejects(host.files().plan(keysOf('core', 'ssh-ed25519 BBBB')), (error) => {
    return error instanceof ConfigError && error.code === 'SymlinkInPath';
  });
  assert.equal(await readFile(host.at('/etc/victim/authorized_keys'), 'utf8'), 'theirs');
});
