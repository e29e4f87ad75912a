import assert from 'node:assert/strict';
import { readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { ConfigErrorCode } from '#api/config-errors.ts';
import { ConfigError } from '../config-error.ts';
import { documentOf, file } from '../testing/document.ts';
import { TestHost } from '../testing/host.ts';
import { cannotMount, MountedHost } from '../testing/mounted-host.ts';
import { snapshot } from '../testing/snapshot.ts';
import { swapping } from '../testing/swapping.ts';
import { twentyFiles, writeShipped } from '../testing/twenty-files.ts';
import type { ConfigDocument } from '#api/config-document.ts';
import type { Transaction } from './contract.ts';

const skip = cannotMount ?? false;

async function prepared(host: TestHost, document: ConfigDocument): Promise<Transaction> {
  const files = host.files();
  return files.prepare({ document, plan: await files.plan(document), meta: {} });
}

async function apply(host: TestHost, document: ConfigDocument): Promise<void> {
  const transaction = await prepared(host, document);
  await transaction.switch();
  await transaction.keep();
}

function code(...wanted: ConfigErrorCode[]) {
  return (error: unknown) => {
    assert.ok(error instanceof ConfigError, String(error));
    assert.ok(wanted.includes(error.code), `${error.code}: ${error.message}`);
    return true;
  };
}

/** An ext4 of 8 MiB with 200 inodes, on a loop device. */
const EXT4 = `truncate -s 8M "$2/disk"; mke2fs -q -F -t ext4 -N 200 "$2/disk"; mount -o loop "$2/disk" "$1"`;

for (const [what, fill] of [
  ['bytes', 'head -c 20000000 /dev/zero > var/fill 2>/dev/null || :; truncate -s -90000 var/fill'],
  [
    'inodes',
    'mkdir var/fill; i=0; while (: > var/fill/$i) 2>/dev/null; do i=$((i+1)); done; rm var/fill/1 var/fill/2 var/fill/3',
  ],
] as const) {
  test(
    `without enough ${what} nothing changes, and it is said before anything is touched (A3) (A4)`,
    { skip },
    async () => {
      await using mounted = await MountedHost.make(EXT4);
      const { host } = mounted;
      await writeShipped(host);
      await apply(host, twentyFiles(1));
      const before = await snapshot(host.root);
      mounted.run(fill);
      await assert.rejects(prepared(host, twentyFiles(2)), code('NoSpace'));
      assert.deepEqual(await snapshot(host.root), before);
      mounted.run('rm -r var/fill');
      await apply(host, twentyFiles(2));
    },
  );
}

test('a disk that fills up while files are staged leaves everything as it was (A3)', { skip }, async () => {
  await using mounted = await MountedHost.make('mount -t tmpfs -o size=4m none "$1"');
  const { host } = mounted;
  await writeShipped(host);
  await apply(host, twentyFiles(1));
  const before = await snapshot(host.root);
  // The preflight believes the host's root; what is mounted within it since is smaller.
  const big = 'x'.repeat(400_000);
  mounted.run('mkdir etc/full; mount -t tmpfs -o size=128k none etc/full');
  const files = ['a', 'b'].map((name) => file(`/etc/${name}`, big));
  await assert.rejects(
    prepared(host, documentOf({ files: [...files, file('/etc/full/x', big)] })),
    code('NoSpace', 'Unsupported'),
  );
  mounted.run('umount etc/full; rmdir etc/full');
  assert.deepEqual(await snapshot(host.root), before);
});

test('a read-only file system is refused, whichever of the files is on it (A3) (A33)', { skip }, async () => {
  await using mounted = await MountedHost.make(EXT4);
  const { host } = mounted;
  await host.write('/etc/z/x', 'old');
  const before = await snapshot(host.root);
  mounted.run('mount --bind etc/z etc/z; mount -o remount,ro,bind etc/z');
  const document = documentOf({ files: [file('/etc/a', 'new'), file('/etc/z/x', 'new')] });
  await assert.rejects(prepared(host, document), code('ReadOnly'));
  assert.deepEqual(await snapshot(host.root), before);
  mounted.run('umount etc/z; mount -o remount,ro .');
  await assert.rejects(prepared(host, document), code('ReadOnly'));
});

test('an immutable file is found before anything is replaced (A3)', { skip }, async () => {
  await using mounted = await MountedHost.make(EXT4);
  const { host } = mounted;
  await host.write('/etc/z', 'old');
  const before = await snapshot(host.root);
  mounted.run('chattr +i etc/z');
  const document = documentOf({ files: [file('/etc/a', 'new'), file('/etc/z', 'new')] });
  await assert.rejects(prepared(host, document), code('ReadOnly'));
  mounted.run('chattr -i etc/z');
  assert.deepEqual(await snapshot(host.root), before);
});

/** An ext4 whose disk is a hole in a small file system: what is written there when that is full comes to nothing. */
const HOLLOW = `mount -t tmpfs none "$1"; mkdir "$1/etc" "$2/small"; mount -t tmpfs -o size=4m none "$2/small"
  truncate -s 16M "$2/small/disk"; mke2fs -q -F -t ext4 -O ^has_journal "$2/small/disk"
  mount -o loop,errors=continue "$2/small/disk" "$1/etc"`;

test(
  'a disk that fails when it is told to write is told as such, and nothing new is seen (A3)',
  { skip },
  async () => {
    await using mounted = await MountedHost.make(HOLLOW);
    const { host } = mounted;
    await host.write('/etc/a', 'old');
    mounted.run('sync; head -c 8000000 /dev/zero > "$(dirname "$PWD")/small/fill" 2>/dev/null || :');
    const document = documentOf({ files: [file('/etc/a', 'x'.repeat(1_000_000)), file('/etc/b/c', 'new')] });
    await assert.rejects(apply(host, document), code('NoSpace', 'IoError'));
    assert.equal(await readFile(host.at('/etc/a'), 'utf8'), 'old');
  },
);

test('overlays and memory in the place of /etc are recognised (A33)', { skip }, async () => {
  await using mounted = await MountedHost.make();
  const { host } = mounted;
  const document = documentOf({ files: [file('/etc/a', 'new')] });
  const owners = 'printf "root:x:0:0::/:/bin/sh\\n" > etc/passwd; printf "root:x:0:\\n" > etc/group';
  mounted.run(`mkdir -p lower upper work; mount -t tmpfs none etc; ${owners}`);
  await assert.rejects(prepared(host, document), code('Unsupported'));
  mounted.run(
    'umount etc; mount -t overlay -o lowerdir=lower:usr none etc 2>/dev/null || { mkdir -p usr2 usr; mount -t overlay -o lowerdir=lower:usr2 none etc; }',
  );
  await assert.rejects(prepared(host, document), code('Unsupported', 'UnknownOwner'));
});

test('what is mounted on a file is not replaced behind its back (A34)', { skip }, async () => {
  await using mounted = await MountedHost.make();
  const { host } = mounted;
  await host.write('/etc/hosts', 'old');
  await host.write('/etc/source', 'mounted');
  mounted.run('mount --bind etc/source etc/hosts');
  const document = documentOf({ files: [file('/etc/a', 'new'), file('/etc/hosts', 'new')] });
  await assert.rejects(prepared(host, document), code('BindMount'));
  assert.equal(await readFile(host.at('/etc/hosts'), 'utf8'), 'mounted');
});

test('a directory that is a link is not followed (A7)', { skip }, async () => {
  await using host = await TestHost.make();
  await host.write('/outside/x', 'theirs');
  await symlink('../outside', host.at('/etc/d'));
  await assert.rejects(
    prepared(host, documentOf({ files: [file('/etc/d/x', 'ours')] })),
    code('SymlinkInPath'),
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
          await apply(host, document);
          written++;
        } catch (error) {
          code('SymlinkInPath', 'PathRefused', 'TargetBusy', 'RevertFailed', 'IoError')(error);
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
  await apply(host, documentOf({ files: [file('/etc/a', '1')] }));
  const before = await snapshot(host.root);
  for (const torn of ['', '0123456789abcdef {"rec']) {
    await writeFile(`${host.stateDir}/config/journal/open`, torn);
    assert.deepEqual(await host.files().recover(), {});
    assert.deepEqual(await snapshot(host.root), before);
  }
  await apply(host, documentOf({ files: [file('/etc/a', '2')] }));
});

test('a record that a power cut has torn counts as never written (A2)', { skip }, async () => {
  await using host = await TestHost.make();
  await apply(host, documentOf({ files: [file('/etc/a', 'old')] }));
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
  await assert.rejects(transaction.revert(), code('RevertFailed'));
  await assert.rejects(host.files().recover(), code('RevertFailed'));
  await assert.rejects(prepared(host, documentOf({})), code('Internal', 'SymlinkInPath'));
  await rm(host.at('/etc/d'));
  await rename(host.at('/etc/moved'), host.at('/etc/d'));
  const { transaction: again } = await host.files().recover();
  await again?.close();
  assert.deepEqual(await snapshot(host.root), before);
});
