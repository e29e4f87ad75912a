import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { guardedDirectory, type GuardedDirectory } from '#test/cluster/guardian.ts';
import { runTool } from '../oci/run-tool.ts';
import type { DebianPackage } from './debian-packages.ts';
import { fetchPackage } from './fetch-package.ts';

// An apt-get that offers what is in a directory of ours; the packages are real.
const aptGet = (archive: string) => `#!/bin/sh
for wanted; do :; done
case $wanted in *=*) wanted="\${wanted%=*}_\${wanted#*=}" ;; *) wanted="\${wanted}_2" ;; esac
cp "${archive}/$wanted.deb" .
`;

const outside = { PATH: process.env['PATH'], XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] };
let work: GuardedDirectory;
let archive: string;
const notices: string[] = [];
const fetched = (pin: DebianPackage) => fetchPackage(pin, (line) => notices.push(line));

before(async () => {
  work = await guardedDirectory('careen-debian-test-');
  await mkdir(path.join(work.path, 'bin'));
  await writeFile(path.join(work.path, 'bin/apt-get'), aptGet(path.join(work.path, 'archive')));
  await chmod(path.join(work.path, 'bin/apt-get'), 0o755);
  process.env['PATH'] = `${work.path}/bin:${outside.PATH}`;
});

after(async () => {
  Object.assign(process.env, outside);
  await work.remove();
});

beforeEach(async () => {
  notices.length = 0;
  archive = path.join(work.path, 'archive');
  for (const name of ['archive', 'cache'])
    await rm(path.join(work.path, name), { recursive: true, force: true });
  await mkdir(archive);
  process.env['XDG_CACHE_HOME'] = path.join(work.path, 'cache');
});

test('the pinned version is fetched once, and kept', async () => {
  const pin = await offer('1');
  const first = await fetched(pin);
  await rm(archive, { recursive: true });
  assert.deepEqual(await fetched(pin), first);
  assert.deepEqual([first.version, first.distribution, notices], ['1', 'debian-12', []]);
});

test('a version that the archive has no more is replaced by the one that it has, and that is said', async () => {
  const gone = { ...(await offer('2')), version: '1', sha256: 'f'.repeat(64) };
  const { version, sha256 } = await fetched(gone);
  assert.equal(version, '2');
  assert.match(notices.join(), new RegExp(`hello 1 is not to be had.*took 2 \\(sha256 ${sha256}\\)`));
});

test('a package with another checksum than the pinned one is refused', async () => {
  const pin = { ...(await offer('1')), sha256: 'f'.repeat(64) };
  await assert.rejects(fetched(pin), { name: 'ImageError', code: 'PackageWrong' });
});

test('a package that is not to be had at all is an error that says what is needed', async () => {
  const pin = { ...(await offer('2')), name: 'nowhere' };
  await assert.rejects(fetched({ ...pin, sha256: 'f'.repeat(64) }), {
    code: 'PackageMissing',
    message: /apt-get update/,
  });
});

/** Puts a package into the archive. */
async function offer(version: string): Promise<DebianPackage> {
  const tree = path.join(work.path, `tree-${version}`);
  await mkdir(path.join(tree, 'DEBIAN'), { recursive: true });
  const control = `Package: hello\nVersion: ${version}\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: b\n`;
  await writeFile(path.join(tree, 'DEBIAN/control'), control);
  const file = path.join(archive, `hello_${version}.deb`);
  await runTool('dpkg-deb', ['--build', tree, file]);
  const sha256 = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  return { name: 'hello', version, sha256, licence: 'MIT', files: [] };
}
