import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { guardedDirectory } from '../guardian.ts';
import { checksumIn, download, releaseOf } from './download.ts';
import type { BinaryName } from './go-module.ts';

const versions = { kubernetes: 'v1.36.4', etcd: 'v3.6.8', helm: 'v4.2.4', runc: 'v1.5.2' };
const program = Buffer.from('#!/bin/sh\necho works\n');

test('a file with the published checksum becomes a program', async (t) => {
  const { url, target } = await server(t, { '/kubectl': program, '/kubectl.sha512': sum('sha512', program) });
  await download(
    { url: `${url}/kubectl`, checksumUrl: `${url}/kubectl.sha512`, algorithm: 'sha512' },
    target,
  );
  assert.equal(execFileSync(target, { encoding: 'utf8' }), 'works\n');
});

test('a program inside an archive is taken out of it', async (t) => {
  const { directory, url, target, files } = await server(t, {});
  await mkdir(path.join(directory, 'linux-amd64'));
  await writeFile(path.join(directory, 'linux-amd64/helm'), program);
  execFileSync('tar', ['-C', directory, '-czf', path.join(directory, 'a.tar.gz'), 'linux-amd64/helm']);
  const archive = await readFile(path.join(directory, 'a.tar.gz'));
  files['/helm.tar.gz'] = archive;
  files['/sums'] = Buffer.from(`${sum('sha256', program)}  other\n${sum('sha256', archive)}  helm.tar.gz\n`);
  const release = { url: `${url}/helm.tar.gz`, checksumUrl: `${url}/sums`, algorithm: 'sha256' as const };
  await download({ ...release, member: 'linux-amd64/helm' }, target);
  assert.deepEqual(await readFile(target), program);
  assert.equal((await stat(target)).mode & 0o777, 0o755);
  await assert.rejects(download({ ...release, member: 'linux-amd64/etcd' }, target), /no linux-amd64\/etcd/);
  assert.equal(existsSync(`${target}.tar.gz`), false);
});

test('a file with another checksum is refused', async (t) => {
  const { url, target } = await server(t, {
    '/x': program,
    '/x.sha256': sum('sha256', Buffer.from('other')),
  });
  const release = { url: `${url}/x`, checksumUrl: `${url}/x.sha256`, algorithm: 'sha256' as const };
  await assert.rejects(download(release, target), /sha256 is [0-9a-f]+, not/);
});

test('a release that does not exist is an error', async (t) => {
  const { url, target } = await server(t, {});
  const release = { url: `${url}/x`, checksumUrl: `${url}/x.sha256`, algorithm: 'sha256' as const };
  await assert.rejects(download(release, target), /x\.sha256 answered 404/);
});

test('a checksum file must name the file with a sum of the right kind', () => {
  const sum256 = 'a'.repeat(64);
  assert.equal(checksumIn(`${sum256}\n`, 'f', 'sha256'), sum256);
  assert.equal(checksumIn(`${'b'.repeat(64)}  e\n${sum256} *f\n`, 'f', 'sha256'), sum256);
  assert.throws(() => checksumIn(`${sum256}  e\n`, 'f', 'sha256'), /no sha256 of f/);
  assert.throws(() => checksumIn(`${sum256}\n`, 'f', 'sha512'), /no sha512 of f/);
  assert.throws(() => checksumIn('<html>', 'f', 'sha256'), /no sha256 of f/);
});

test('releases exist for Linux on the two usual processors', () => {
  assert.equal(urlOf('kubectl', 'linux', 'x64'), 'https://dl.k8s.io/release/v1.36.4/bin/linux/amd64/kubectl');
  assert.match(urlOf('etcd', 'linux', 'arm64') ?? '', /v3\.6\.8\/etcd-v3\.6\.8-linux-arm64\.tar\.gz$/);
  assert.equal(urlOf('helm', 'linux', 'x64'), 'https://get.helm.sh/helm-v4.2.4-linux-amd64.tar.gz');
  assert.match(urlOf('runc', 'linux', 'x64') ?? '', /runc\/releases\/download\/v1\.5\.2\/runc\.amd64$/);
  assert.match(urlOf('kubelet', 'linux', 'x64') ?? '', /v1\.36\.4\/bin\/linux\/amd64\/kubelet$/);
  assert.equal(urlOf('containerd', 'linux', 'x64'), undefined);
  assert.equal(urlOf('kubectl', 'darwin', 'arm64'), undefined);
  assert.equal(urlOf('kubectl', 'linux', 'riscv64'), undefined);
});

function urlOf(name: BinaryName, os: string, arch: string): string | undefined {
  return releaseOf(name, versions, { os, arch })?.url;
}

/** A web server of files, with a directory to download to. */
async function server(t: TestContext, contents: Record<string, Buffer | string>) {
  const { path: directory, remove } = await guardedDirectory('careen-download-');
  const files = { ...contents };
  const http = createServer((request, response) => {
    const file = files[request.url ?? ''];
    response.writeHead(file === undefined ? 404 : 200).end(file);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    http.close();
    http.closeAllConnections();
    await remove();
  });
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return { directory, files, url, target: path.join(directory, 'target') };
}

function sum(algorithm: string, data: Buffer): string {
  return createHash(algorithm).update(data).digest('hex');
}
