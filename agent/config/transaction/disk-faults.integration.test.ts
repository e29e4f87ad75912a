import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { test } from 'node:test';
import { change, failsWith, prepared } from '../testing/changing.ts';
import { documentOf, file } from '../testing/document.ts';
import { cannotMount, MountedHost } from '../testing/mounted-host.ts';
import { snapshot } from '../testing/snapshot.ts';
import { twentyFiles, writeShipped } from '../testing/twenty-files.ts';

const skip = cannotMount ?? false;
const withBtrfs = spawnSync('mkfs.btrfs', ['--version']).status === 0;

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
      await change(host, twentyFiles(1));
      const before = await snapshot(host.root);
      mounted.run(fill);
      await assert.rejects(prepared(host, twentyFiles(2)), failsWith('NoSpace'));
      assert.deepEqual(await snapshot(host.root), before);
      mounted.run('rm -r var/fill');
      await change(host, twentyFiles(2));
    },
  );
}

test('a disk that fills up while files are staged leaves everything as it was (A3)', { skip }, async () => {
  await using mounted = await MountedHost.make('mount -t tmpfs -o size=4m none "$1"');
  const { host } = mounted;
  await writeShipped(host);
  await change(host, twentyFiles(1));
  const before = await snapshot(host.root);
  // The preflight believes the host's root; what is mounted within it since is smaller.
  const big = 'x'.repeat(400_000);
  mounted.run('mkdir etc/full; mount -t tmpfs -o size=128k none etc/full');
  const files = ['a', 'b'].map((name) => file(`/etc/${name}`, big));
  await assert.rejects(
    prepared(host, documentOf({ files: [...files, file('/etc/full/x', big)] })),
    failsWith('NoSpace', 'Unsupported'),
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
  await assert.rejects(prepared(host, document), failsWith('ReadOnly'));
  assert.deepEqual(await snapshot(host.root), before);
  mounted.run('umount etc/z; mount -o remount,ro .');
  await assert.rejects(prepared(host, document), failsWith('ReadOnly'));
});

test('an immutable file is found before anything is replaced (A3)', { skip }, async () => {
  await using mounted = await MountedHost.make(EXT4);
  const { host } = mounted;
  await host.write('/etc/z', 'old');
  const before = await snapshot(host.root);
  mounted.run('chattr +i etc/z');
  const document = documentOf({ files: [file('/etc/a', 'new'), file('/etc/z', 'new')] });
  await assert.rejects(prepared(host, document), failsWith('ReadOnly'));
  mounted.run('chattr -i etc/z');
  assert.deepEqual(await snapshot(host.root), before);
});

/** At /etc/disk, a disk that can shrink. */
const SHRINKING = `mount -t tmpfs none "$1"; mkdir -p "$1/etc/disk"; truncate -s 16M "$2/disk"
  mke2fs -q -F -t ext4 -O ^has_journal "$2/disk"; mount -o loop,errors=continue "$2/disk" "$1/etc/disk"`;
/** More than is left of it then. */
const BIG = 'x'.repeat(7_000_000);

/** The kernel is told that the disk ends here: what lies behind can be neither read nor written. */
function resize(mounted: MountedHost, size: '6M' | '16M'): void {
  const device = 'losetup --set-capacity "$(findmnt -no SOURCE etc/disk)"';
  mounted.run(`sync -f etc/disk; truncate -s ${size} ../disk; ${device}; sync -f etc/disk`);
}

test(
  'a disk that fails while files are staged is told as such, and all is as it was (A3)',
  { skip },
  async () => {
    await using mounted = await MountedHost.make(SHRINKING);
    const { host } = mounted;
    await host.write('/etc/disk/a', 'old');
    const document = documentOf({ files: [file('/etc/disk/a', BIG), file('/etc/b', 'new')] });
    const before = await snapshot(host.root);
    resize(mounted, '6M');
    await assert.rejects(change(host, document), { code: 'IoError', errno: 'EIO', path: '/etc/disk/a' });
    assert.deepEqual(await snapshot(host.root), before);
    resize(mounted, '16M');
    await change(host, document);
    assert.equal(await readFile(host.at('/etc/disk/a'), 'utf8'), BIG);
  },
);

test(
  'a file that the disk cannot read is not replaced, as it could not come back (A3)',
  { skip },
  async () => {
    await using mounted = await MountedHost.make(SHRINKING);
    const { host } = mounted;
    await host.write('/etc/disk/a', BIG);
    // So that nothing of it is in memory.
    mounted.run('umount etc/disk; mount -o loop,errors=continue ../disk etc/disk');
    resize(mounted, '6M');
    const document = documentOf({ files: [file('/etc/disk/a', 'new'), file('/etc/b', 'new')] });
    await assert.rejects(change(host, document), { code: 'IoError', errno: 'EIO', path: '/etc/disk/a' });
    assert.equal((await stat(host.at('/etc/disk/a'))).size, BIG.length);
    await assert.rejects(stat(host.at('/etc/b')), { code: 'ENOENT' });
  },
);

/** btrfs counts what a subvolume takes, and may be told how much that may be; at first it counts what is there. */
const QUOTA = `mount -t tmpfs none "$1"; mkdir "$1/etc"; truncate -s 128M "$2/disk"
  mkfs.btrfs -q -m single -d single "$2/disk"; mount -o loop "$2/disk" "$1/etc"; btrfs quota enable "$1/etc"
  btrfs quota rescan -w "$1/etc" >/dev/null; btrfs qgroup limit 4M "$1/etc"`;

test(
  'a quota that is used up while files are staged leaves everything as it was (A3)',
  { skip: skip || (withBtrfs ? false : 'btrfs-progs are not installed') },
  async () => {
    await using mounted = await MountedHost.make(QUOTA);
    const { host } = mounted;
    await host.write('/etc/b', 'old');
    const before = await snapshot(host.root);
    const [some, more] = ['1', '2'].map((text) => text.repeat(3_000_000)) as [string, string];
    const document = documentOf({ files: [file('/etc/a', some), file('/etc/b', more)] });
    await assert.rejects(change(host, document), { code: 'NoSpace', errno: 'EDQUOT', path: '/etc/b' });
    assert.deepEqual(await snapshot(host.root), before);
    mounted.run('btrfs qgroup limit none etc');
    await change(host, document);
    assert.equal(await readFile(host.at('/etc/b'), 'utf8'), more);
  },
);
