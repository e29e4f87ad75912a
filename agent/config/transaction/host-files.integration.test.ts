import assert from 'node:assert/strict';
import { chmod, chown, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { ConfigDocument } from '#api/config-document.ts';
import type { ConfigErrorCode } from '#api/config-errors.ts';
import { ConfigError } from '../config-error.ts';
import { directory, documentOf, file, link } from '../testing/document.ts';
import { TestHost } from '../testing/host.ts';
import { snapshot } from '../testing/snapshot.ts';
import type { HostFiles } from './host-files.ts';

const skip = process.getuid?.() === 0 ? false : 'owners of files need root';

async function apply(files: HostFiles, document: ConfigDocument): Promise<void> {
  const plan = await files.plan(document);
  const transaction = await files.prepare({ document, plan, meta: {} });
  await transaction.switch();
  assert.equal(await transaction.keep(), true);
}

function code(wanted: ConfigErrorCode, path?: string) {
  return (error: unknown) => {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.code, wanted, error.message);
    if (path !== undefined) assert.equal(error.path, path);
    return true;
  };
}

test('files, directories and links are made with their owners and modes', { skip }, async () => {
  await using host = await TestHost.make();
  const document = documentOf({
    directories: [directory('/etc/app', { mode: '0750', group: 'core' })],
    files: [
      file('/etc/app/deep/er/conf', 'a = 1\n', { mode: '0640', user: 'core', group: 'core' }),
      file('/etc/app/suid', 'x', { mode: '4755', user: 'core' }),
    ],
    links: [link('/etc/app/now', '../motd')],
  });
  await apply(host.files(), document);
  const found = await snapshot(host.root, '/etc/app');
  assert.deepEqual(
    Object.entries(found).map(([path, what]) => [path, what.replace(/ [0-9a-f]{12}$/, '')]),
    [
      ['/etc/app/deep', 'directory 755 0:0'],
      ['/etc/app/deep/er', 'directory 755 0:0'],
      ['/etc/app/deep/er/conf', 'file 640 500:501'],
      ['/etc/app/now', 'link ../motd'],
      ['/etc/app/suid', 'file 4755 500:0'],
    ],
  );
  const { mode, gid } = await stat(host.at('/etc/app'));
  assert.deepEqual([mode & 0o7777, gid], [0o750, 501]);
});

test('what is as it is wanted is left alone: the plan is empty', { skip }, async () => {
  await using host = await TestHost.make();
  const document = documentOf({ files: [file('/etc/a', '1')], links: [link('/etc/b', 'a')] });
  await apply(host.files(), document);
  assert.deepEqual((await host.files().plan(document)).changes, []);
});

test('what nobody wants any more is as it was before Careen came', { skip }, async () => {
  await using host = await TestHost.make();
  await host.write('/etc/shipped', 'by the distribution', 0o600);
  await symlink('../usr/lib/x', host.at('/etc/link'));
  const before = await snapshot(host.root);
  await apply(
    host.files(),
    documentOf({
      files: [file('/etc/shipped', 'ours'), file('/etc/link', 'ours'), file('/etc/new/file', 'ours')],
    }),
  );
  assert.notDeepEqual(await snapshot(host.root), before);
  await apply(host.files(), documentOf({ files: [file('/etc/shipped', 'again')] }));
  await apply(host.files(), documentOf({}));
  assert.deepEqual(await snapshot(host.root), before);
  assert.deepEqual((await host.files().applied()).owned, []);
});

test('a file that is kept stays, and one that is to be deleted goes', { skip }, async () => {
  await using host = await TestHost.make();
  await host.write('/etc/gone', 'by the distribution');
  const files = [
    file('/etc/kept', '1', { onRemove: 'Keep' }),
    file('/etc/gone', '2', { onRemove: 'Delete' }),
  ];
  await apply(host.files(), documentOf({ files }));
  await apply(host.files(), documentOf({}));
  assert.equal(await readFile(host.at('/etc/kept'), 'utf8'), '1');
  await assert.rejects(stat(host.at('/etc/gone')));
});

test(
  'where a package put a newer file in the place of a managed one, that one comes back (A38)',
  { skip },
  async () => {
    await using host = await TestHost.make();
    await symlink('/usr/share/zoneinfo/UTC', host.at('/etc/setting'));
    const document = documentOf({ files: [file('/etc/setting', 'ours')] });
    await apply(host.files(), document);
    await rm(host.at('/etc/setting'));
    await writeFile(host.at('/etc/setting'), 'version 2 of the package');
    const [change] = (await host.files().plan(document)).changes;
    assert.equal(change?.path, '/etc/setting');
    await apply(host.files(), document);
    assert.equal(await readFile(host.at('/etc/setting'), 'utf8'), 'ours');
    await apply(host.files(), documentOf({}));
    assert.equal(await readFile(host.at('/etc/setting'), 'utf8'), 'version 2 of the package');
  },
);

test('content that others wrote is not undone when the config goes (A38)', { skip }, async () => {
  await using host = await TestHost.make();
  await apply(host.files(), documentOf({ files: [file('/etc/a', 'ours')] }));
  await writeFile(host.at('/etc/a'), 'theirs');
  const plan = await host.files().plan(documentOf({}));
  assert.deepEqual([plan.changes, plan.left], [[], ['/etc/a']]);
});

test('an owner that the host does not know is refused, and none is made up (A10)', { skip }, async () => {
  await using host = await TestHost.make();
  const document = documentOf({ files: [file('/etc/a', '', { user: 'nobody-here' })] });
  await assert.rejects(host.files().plan(document), code('UnknownOwner', '/etc/a'));
  await host.write('/usr/lib/passwd', 'nobody-here:x:77:77::/:/bin/false\n');
  await apply(host.files(), document);
  assert.equal((await stat(host.at('/etc/a'))).uid, 77);
});

test('a transaction is undone after it was switched: owners, modes and links too', { skip }, async () => {
  await using host = await TestHost.make();
  await host.write('/etc/a', 'old', 0o604);
  await chown(host.at('/etc/a'), 500, 501);
  await symlink('a', host.at('/etc/l'));
  await host.write('/etc/d/x', 'x');
  await chmod(host.at('/etc/d'), 0o700);
  const before = await snapshot(host.root);
  const document = documentOf({
    directories: [directory('/etc/d', { mode: '0755' })],
    files: [file('/etc/a', 'new'), file('/etc/l', 'new'), file('/etc/n/n', 'new')],
  });
  const files = host.files();
  const transaction = await files.prepare({ document, plan: await files.plan(document), meta: {} });
  await transaction.switch();
  assert.equal(await readFile(host.at('/etc/l'), 'utf8'), 'new');
  await transaction.revert();
  assert.equal(transaction.stage, 'Reverted');
  await transaction.close();
  assert.deepEqual(await snapshot(host.root), before);
  assert.deepEqual((await host.files().recover()).transaction, undefined);
});

test('steps that were done are known after a restart, and how often one was tried', { skip }, async () => {
  await using host = await TestHost.make();
  const document = documentOf({ files: [file('/etc/a', 'new')] });
  const files = host.files();
  const first = await files.prepare({ document, plan: await files.plan(document), meta: { hash: 'h' } });
  await first.switch();
  await first.note('reload:a', 'Started');
  await first.note('reload:a', 'Done');
  await first.note('reload:b', 'Started');
  await first.note('reload:b', 'Failed', { message: 'it said no' });
  const { transaction } = await host.files().recover();
  assert.equal(transaction?.stage, 'Switched');
  assert.deepEqual(transaction.meta, { hash: 'h' });
  assert.deepEqual(transaction.step('reload:a'), { attempts: 1, done: true, message: undefined });
  assert.deepEqual(transaction.step('reload:b'), { attempts: 1, done: false, message: 'it said no' });
  assert.deepEqual(transaction.step('reload:b', true), { attempts: 0, done: false, message: undefined });
  assert.equal(await transaction.keep(), true);
  assert.deepEqual((await host.files().applied()).meta, { hash: 'h' });
});

test('one change at a time', { skip }, async () => {
  await using host = await TestHost.make();
  const document = documentOf({ files: [file('/etc/a', 'new')] });
  const files = host.files();
  const plan = await files.plan(document);
  await files.prepare({ document, plan, meta: {} });
  await assert.rejects(files.prepare({ document, plan, meta: {} }), code('Internal'));
});

test('a file that somebody changed since it was planned is not replaced', { skip }, async () => {
  await using host = await TestHost.make();
  await host.write('/etc/b', 'old');
  const document = documentOf({ files: [file('/etc/a', 'new'), file('/etc/b', 'new')] });
  const files = host.files();
  const plan = await files.plan(document);
  await writeFile(host.at('/etc/b'), 'theirs');
  const before = await snapshot(host.root);
  await assert.rejects(files.prepare({ document, plan, meta: {} }), code('TargetBusy', '/etc/b'));
  assert.deepEqual(await snapshot(host.root), before);
});

test('the state of another machine says nothing about this one (A32)', { skip }, async () => {
  await using host = await TestHost.make();
  await apply(host.files('1'.repeat(32)), documentOf({ files: [file('/etc/a', '1')] }));
  const other = host.files('2'.repeat(32));
  await other.recover();
  assert.deepEqual(await other.applied(), { meta: undefined, owned: [], document: undefined });
});
