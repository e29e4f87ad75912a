import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { guardedDirectory, type GuardedDirectory } from '#test/cluster/guardian.ts';
import type { RealBehaviour } from './behaviour.ts';
import { slotRoot, type SlotRoot } from './slot-root.fixture.ts';
import { findDebianTool } from './debian-tool.ts';
import { SUITES, type Suite } from './debian-tree.ts';
import { osTree, stateTree } from './os-tree.ts';
import { buildRealOsImage } from './real-os-image.ts';

const skip = await obstacle();
if (skip !== undefined) console.log(`images of real nodes are not tested: ${skip}`);
const options = skip === undefined ? {} : { skip };
const SYSTEMD = { bookworm: 252, trixie: 257 } as const;

let directory: GuardedDirectory;
const roots = new Map<Suite, SlotRoot>();

before(async () => {
  directory = await guardedDirectory('careen-real-images-');
  if (skip !== undefined) return;
  for (const suite of SUITES) {
    roots.set(suite, await slotRoot(await image('1.2.3', 'ok', suite), await stateTree(suite)));
  }
});

after(async () => {
  for (const root of roots.values()) await root.remove();
  await directory.remove();
});

for (const suite of SUITES) {
  test(`${suite}: os-release names the image, wherever it is read`, options, async () => {
    const osRelease = await inSlot(suite, 'cat /usr/lib/os-release');
    assert.match(osRelease, /^ID=careen-test-os$/mu);
    assert.match(osRelease, /^VERSION_ID=1\.2\.3$/mu);
    assert.match(osRelease, /^PRETTY_NAME="Careen test OS 1\.2\.3"$/mu);
    assert.equal(await inSlot(suite, 'cat /etc/os-release'), osRelease);
  });

  test(`${suite}: systemd is ${SYSTEMD[suite]}`, options, async () => {
    assert.match(await inSlot(suite, 'systemctl --version'), new RegExp(`^systemd ${SYSTEMD[suite]} `, 'u'));
  });

  test(`${suite}: no program misses a library that was left out`, options, async () => {
    const programs = '/usr/bin/* /usr/sbin/* /usr/lib/systemd/systemd*';
    assert.equal(await inSlot(suite, `ldd ${programs} 2>/dev/null | grep 'not found' || :`), '');
  });

  test(
    `${suite}: the image starts its own units, masks others, and systemd understands all`,
    options,
    async () => {
      const wants = '/usr/lib/systemd/system/multi-user.target.wants';
      await inSlot(suite, `cd ${wants} && test -e containerd.service && test -e kubelet.service`);
      assert.equal(
        await inSlot(suite, 'systemctl is-enabled systemd-udevd fstrim.timer || :'),
        'masked\nmasked\n',
      );
      // Programs below /opt/node come with the node: of those systemd has to complain here.
      const said = await inSlot(suite, 'systemd-analyze verify containerd.service kubelet.service 2>&1 || :');
      const complaints = said.split('\n').filter((line) => /careen|containerd|kubelet/u.test(line));
      assert.deepEqual(
        complaints.filter((line) => !line.includes('/opt/node/')),
        [],
      );
    },
  );

  test(`${suite}: a node starts with nothing of the computer that made the tree`, options, async () => {
    const state = await stateTree(suite);
    for (const name of ['etc/hostname', 'etc/resolv.conf', 'etc/machine-id', 'etc/apt', 'var/lib/dpkg']) {
      await assert.rejects(stat(path.join(state, name)), { code: 'ENOENT' }, name);
    }
    assert.doesNotMatch(await readFile(path.join(state, 'etc/shadow'), 'utf8'), /^[^:]+:\$/mu);
  });
}

test('images that are to fail do so by what is in them', options, async () => {
  assert.equal(await content('no-boot', 'lib/systemd/systemd'), '');
  assert.match(await content('hang', 'lib/systemd/systemd'), /^#!\/bin\/sh\n.*\nexec sleep infinity$/mu);
  assert.match(
    await content('unhealthy', 'lib/systemd/system/containerd.service.d/10-network.conf'),
    /--config \/run\/containerd\.toml/u,
  );
  assert.match(
    await content('no-kubelet', 'lib/systemd/system/kubelet.service.d/10-runtime.conf'),
    /--container-runtime=remote/u,
  );
});

test('the same options give the same bytes, another version gives others', options, async () => {
  const first = digest(await readFile(await image('3.0.0', 'ok', 'bookworm', 'first')));
  assert.equal(digest(await readFile(await image('3.0.0', 'ok', 'bookworm', 'second'))), first);
  assert.notEqual(digest(await readFile(await image('3.0.1', 'ok', 'bookworm', 'third'))), first);
});

test('an image leaves the tree that it is made of as it was', options, async () => {
  const { usr } = await osTree('bookworm');
  await image('4.0.0', 'no-boot');
  assert.match(await readFile(path.join(usr, 'lib/os-release'), 'utf8'), /^ID=debian$/mu);
  assert.ok((await stat(path.join(usr, 'lib/systemd/systemd'))).size > 0);
});

async function obstacle(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'needs root: files of many users, mounts';
  return Promise.all(
    (['mmdebstrap', 'mksquashfs', 'unsquashfs'] as const).map((name) => findDebianTool(name)),
  ).then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );
}

function inSlot(suite: Suite, script: string): Promise<string> {
  return roots.get(suite)!.run(script);
}

async function image(
  version: string,
  behaviour: RealBehaviour = 'ok',
  suite: Suite = 'bookworm',
  name = `${version}-${behaviour}-${suite}`,
): Promise<string> {
  const file = path.join(directory.path, name);
  await buildRealOsImage({ path: file, version, behaviour, suite });
  return file;
}

/** A file of the image; nothing if it is not there. */
async function content(behaviour: RealBehaviour, file: string): Promise<string> {
  const args = ['-cat', await image('2.0.0', behaviour), file];
  return promisify(execFile)(await findDebianTool('unsquashfs'), args).then(
    ({ stdout }) => stdout,
    () => '',
  );
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
