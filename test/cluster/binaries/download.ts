import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { guarded } from '../guardian.ts';
import { kubernetes, type BinaryName } from './go-module.ts';

/** One official release file and the checksum that its publisher gives next to it. */
export interface Release {
  url: string;
  checksumUrl: string;
  algorithm: 'sha256' | 'sha512';
  /** The program's path inside, if the file is a .tar.gz. */
  member?: string | undefined;
}

/** Versions that go.mod pins. */
export interface Versions {
  kubernetes: string;
  etcd: string;
  helm: string;
  runc: string;
}

/**
 * Where a program is published, or nothing where no release has it (Kubernetes' servers exist for Linux only).
 * The usual envtest archive is not used: it lacks kube-controller-manager and kube-scheduler, and the build of
 * those two alone takes nearly as long as that of all.
 */
export function releaseOf(
  name: BinaryName,
  versions: Versions,
  platform: { os: string; arch: string } = { os: process.platform, arch: process.arch },
): Release | undefined {
  const arch = platform.arch === 'x64' ? 'amd64' : platform.arch;
  if (platform.os !== 'linux' || !['amd64', 'arm64'].includes(arch)) return undefined;
  if (name === 'etcd') return etcd(versions.etcd, arch);
  if (name === 'helm') return helm(versions.helm, arch);
  if (name === 'runc') return runc(versions.runc, arch);
  if (name !== 'kubelet' && !(name in kubernetes.packages)) return undefined; // archives of many programs, each built in seconds
  const url = `https://dl.k8s.io/release/${versions.kubernetes}/bin/linux/${arch}/${name}`;
  return { url, checksumUrl: `${url}.sha512`, algorithm: 'sha512' };
}

function etcd(version: string, arch: string): Release {
  const base = `https://github.com/etcd-io/etcd/releases/download/${version}`;
  const name = `etcd-${version}-linux-${arch}`;
  const checksumUrl = `${base}/SHA256SUMS`;
  return { url: `${base}/${name}.tar.gz`, checksumUrl, algorithm: 'sha256', member: `${name}/etcd` };
}

function helm(version: string, arch: string): Release {
  const url = `https://get.helm.sh/helm-${version}-linux-${arch}.tar.gz`;
  return { url, checksumUrl: `${url}.sha256sum`, algorithm: 'sha256', member: `linux-${arch}/helm` };
}

function runc(version: string, arch: string): Release {
  const base = `https://github.com/opencontainers/runc/releases/download/${version}`;
  return { url: `${base}/runc.${arch}`, checksumUrl: `${base}/runc.sha256sum`, algorithm: 'sha256' };
}

const connectTimeoutMs = 5_000;
const stallTimeoutMs = 20_000;

/**
 * Downloads a release to `target` after comparing it with its published checksum, which comes from the same
 * server by TLS: it finds damage and mix-ups, not a publisher who was broken into. Offline it fails in seconds.
 */
export async function download(release: Release, target: string): Promise<void> {
  const expected = await publishedChecksum(release);
  const file = release.member === undefined ? target : `${target}.tar.gz`;
  try {
    const actual = await fetchTo(release.url, file, release.algorithm);
    if (actual !== expected)
      throw new Error(`${release.url}: ${release.algorithm} is ${actual}, not ${expected}`);
    if (release.member !== undefined) await unpack(file, release.member, target);
    await chmod(target, 0o755);
  } finally {
    if (file !== target) await rm(file, { force: true });
  }
}

async function publishedChecksum(release: Release): Promise<string> {
  const signal = AbortSignal.timeout(connectTimeoutMs);
  const text = await (await answered(release.checksumUrl, signal)).text();
  return checksumIn(text, path.basename(new URL(release.url).pathname), release.algorithm);
}

/** Reads a checksum file: a bare sum, or lines of `<sum>  <file>`. */
export function checksumIn(text: string, file: string, algorithm: Release['algorithm']): string {
  const length = algorithm === 'sha256' ? 64 : 128;
  for (const line of text.split('\n')) {
    const [sum = '', name = file] = line.trim().split(/\s+\*?/);
    if (name === file && sum.length === length && /^[0-9a-f]+$/.test(sum)) return sum;
  }
  throw new Error(`no ${algorithm} of ${file} in its checksum file`);
}

async function fetchTo(url: string, file: string, algorithm: string): Promise<string> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new Error(`${url} stalled`)), stallTimeoutMs);
  const hash = createHash(algorithm);
  const watch = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      timer.refresh();
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    const { body } = await answered(url, stalled.signal);
    await pipeline(Readable.fromWeb(body as ReadableStream), watch, createWriteStream(file));
    return hash.digest('hex');
  } finally {
    clearTimeout(timer);
  }
}

async function answered(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response;
}

async function unpack(archive: string, member: string, target: string): Promise<void> {
  const tar = await guarded('tar', ['-xzOf', archive, member], { stdout: 'pipe' });
  if (tar.stdout === null) throw new Error('tar has no output');
  const [status] = await Promise.all([tar.exited, pipeline(tar.stdout, createWriteStream(target))]);
  if (status !== 0) throw new Error(`tar found no ${member} in ${archive}`);
}
