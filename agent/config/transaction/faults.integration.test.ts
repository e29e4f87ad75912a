import assert from 'node:assert/strict';
import { readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { change, failsWith, prepared } from '../testing/changing.ts';
import { documentOf, file } from '../testing/document.ts';
import { TestHost } from '../testing/host.ts';
import { cannotMount, MountedHost } from '../testing/mounted-host.ts';
import { snapshot } from '../testing/snapshot.ts';
import { swapping } from '../testing/swapping.ts';

const skip = cannotMount ?? false;

test('overlays and memory in the place of /etc are recognised (A33)', { skip }, async () => {
  await using mounted = await MountedHost.make();
  const { host } = mounted;
  const document = documentOf({ files: [file('/etc/a', 'new')] });
  const owners = 'printf "root:x:0:0::/:/bin/sh\\n" > etc/passwd; printf "root:x:0:\\n" > etc/group';
  mounted.run(`mkdir -p lower upper work; mount -t tmpfs none etc; ${owners}`);
  await assert.rejects(prepared(host, document), failsWith('Unsupported'));
  mounted.run(
    'umount etc; mount -t overlay -o lowerdir=lower:usr none etc 2>/dev/null || { mkdir -p usr2 usr; mount -t overlay -o lowerdir=lower:usr2 none etc; }',
  );
  await assert.rejects(prepared(host, document), failsWith('Unsupported', 'UnknownOwner'));
});

test('what is mounted on a file is not replaced behind its back (A34)', { skip }, async () => {
  await using mounted = await MountedHost.make();
  const { host } = mounted;
  await host.write('/etc/hosts', 'old');
  await host.write('/etc/source', 'mounted');
  mounted.run('mount --bind etc/source etc/hosts');
  const document = documentOf({ files: [file('/etc/a', 'new'), file('/etc/hosts', 'new')] });
  await assert.rejects(prepared(host, document), failsWith('BindMount'));
  assert.equal(await readFile(host.at('/etc/hosts'), 'utf8'), 'mounted');
});

test('a directory that is a link is not followed (A7)', { skip }, async () => {
  await using host = await TestHost.make();
  await host.write('/outside/x', 'theirs');
  await symlink('../outside', host.at('/etc/d'));
  await assert.rejects(
    prepared(host, documentOf({ files: [file('/etc/d/x', 'ours')] })),
    failsWith('SymlinkInPath'),
  );
  assert.equal(await readFile(host.at('/outside/x'), 'utf8'), 'theirs');
});

test(
  'while a directory is swapped for a link again and again, no write leaves it (A7)',
  { skip },
  async () => {
    await using host = await TestHost.make();
    await host.write('/etc/d/x', 'old');
    await host.write('/outside/x', 'theirs');
    const outside = await snapshot(host.root, '/outside');
    let written = 0;
    {
      await using swapper = await swapping(host.at('/etc/d'), host.at('/outside'));
      for (let round = 0; round < 60; round++) {
        const document = documentOf({
          files: [file('/etc/d/x', `round ${round}`), file('/etc/d/y', `${round}`)],
        });
        try {
          await change(host, document);
          written++;
        } catch (error) {
          failsWith('SymlinkInPath', 'PathRefused', 'TargetBusy', 'RevertFailed', 'IoError')(error);
          await swapper.paused(async () => {
            const { transaction } = await host.files().recover();
            await transaction?.revert();
            await transaction?.close();
          });
        }
        assert.deepEqual(await snapshot(host.root, '/outside'), outside);
      }
    }
    console.log(`${written} of 60 changes went through`);
  },
);

test('a journal whose only record is torn is followed by nothing (A2)', { skip }, async () => {
  await using host = await TestHost.make();
  await change(host, documentOf({ files: [file('/etc/a', '1')] }));
  const before = await snapshot(host.root);
  for (const torn of ['', '0123456789abcdef {"rec']) {
    await writeFile(`${host.stateDir}/config/journal/open`, torn);
    assert.deepEqual(await host.files().recover(), {});
    assert.deepEqual(await snapshot(host.root), before);
  }
  await change(host, documentOf({ files: [file('/etc/a', '2')] }));
});

test('a record that a power cut has torn counts as never written (A2)', { skip }, async () => {
  await using host = await TestHost.make();
  await change(host, documentOf({ files: [file('/etc/a', 'old')] }));
  const before = await snapshot(host.root);
  const transaction = await prepared(host, documentOf({ files: [file('/etc/a', 'new')] }));
  const journal = `${host.stateDir}/config/journal/open`;
  const staged = await readFile(journal);
  await transaction.switch();
  await writeFile(journal, staged.subarray(0, staged.length - 5));
  const { rolledBack } = await host.files().recover();
  assert.equal(rolledBack?.id, transaction.id);
  assert.deepEqual(await snapshot(host.root), before);
});

test('what cannot be undone stays in the journal, and is undone when it can be (A20)', { skip }, async () => {
  await using host = await TestHost.make();
  await host.write('/etc/d/a', 'old');
  const before = await snapshot(host.root);
  const transaction = await prepared(host, documentOf({ files: [file('/etc/d/a', 'new')] }));
  await transaction.switch();
  await rename(host.at('/etc/d'), host.at('/etc/moved'));
  await symlink('moved', host.at('/etc/d'));
  await assert.rejects(transaction.revert(), failsWith('RevertFailed'));
  await assert.rejects(host.files().recover(), failsWith('RevertFailed'));
  await assert.rejects(prepared(host, documentOf({})), failsWith('Internal', 'SymlinkInPath'));
  await rm(host.at('/etc/d'));
  await rename(host.at('/etc/moved'), host.at('/etc/d'));
  const { transaction: again } = await host.files().recover();
  await again?.close();
  assert.deepEqual(await snapshot(host.root), before);
});
