import { execFile } from 'node:child_process';
import { createCipheriv, createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MIB = 1024 * 1024;
const EPOCH = 1_700_000_000;
const FIELDS = ['atime', 'ctime', 'mtime', 'crtime'];

/**
 * How an image behaves when it is booted. `ok`: well. `no-boot`: its kernel cannot be loaded. `hang`: stops
 * before anything runs, until a watchdog resets the machine. `unhealthy`: everything runs, the node is never Ready.
 */
export const BEHAVIOURS = ['ok', 'no-boot', 'hang', 'unhealthy'] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

export const OS_ID = 'careen-test-os';

export interface OsImageOptions {
  /** Where the image is written; an existing file is replaced. */
  path: string;
  version: string;
  behaviour?: Behaviour | undefined;
  /** Bulk that makes the image as large as one wants; a third is new in each version. 12 MiB unless told. */
  bulkMiB?: number | undefined;
}

/**
 * Builds the file system that is the content of /usr: ext4 with `lib/os-release`, bulk and the behaviour marker.
 * The same options give the same bytes. Needs `mke2fs` and `debugfs` (e2fsprogs), no privileges.
 */
export async function buildOsImage(options: OsImageOptions): Promise<void> {
  await mkdir(dirname(options.path), { recursive: true });
  const tree = await mkdtemp(`${options.path}.tree-`);
  try {
    const bulk = options.bulkMiB ?? 12;
    await writeTree(tree, options.version, options.behaviour ?? 'ok', bulk);
    await makeFileSystem(tree, options.path, bulk + 4, options.version);
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

async function writeTree(
  tree: string,
  version: string,
  behaviour: Behaviour,
  bulkMiB: number,
): Promise<void> {
  const own = join(tree, 'lib/careen-test');
  await mkdir(own, { recursive: true });
  await writeFile(join(tree, 'lib/os-release'), osRelease(version));
  await writeFile(join(own, 'behaviour'), `${behaviour}\n`);
  const third = Math.floor((bulkMiB * MIB) / 3);
  await writeFile(join(own, 'random-shared'), noise('every version', third));
  await writeFile(join(own, 'random-own'), noise(version, third));
  await writeFile(join(own, 'text'), text(version, bulkMiB * MIB - 2 * third));
}

/** The content of `lib/os-release`. */
export function osRelease(version: string): string {
  return [
    'NAME="Careen test OS"',
    `ID=${OS_ID}`,
    `VERSION_ID=${version}`,
    `PRETTY_NAME="Careen test OS ${version}"`,
    '',
  ].join('\n');
}

/** Bytes that do not compress and follow from `seed`. */
function noise(seed: string, length: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Bytes that compress well, as programs and libraries do. */
function text(version: string, length: number): Buffer {
  return Buffer.alloc(length, `line of a library of version ${version}\n`);
}

async function makeFileSystem(tree: string, path: string, sizeMiB: number, version: string): Promise<void> {
  const id = createHash('sha256').update(`uuid of ${version}`).digest('hex');
  const uuid = id.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/u, '$1-$2-4$3-8$4-$5');
  const extended = `hash_seed=${uuid},root_owner=0:0,lazy_itable_init=0`;
  await rm(path, { force: true });
  await writeFile(path, '');
  await truncate(path, sizeMiB * MIB);
  const features = ['-O', '^has_journal,^resize_inode,^metadata_csum', '-m', '0', '-N', '64', '-b', '4096'];
  await tool('mke2fs', ['-q', '-F', '-t', 'ext4', '-U', uuid, '-E', extended, ...features, '-d', tree, path]);
  await setTimes(path, `${tree}.times`);
}

/** `mke2fs -d` takes over change times, which nobody can set on the files; they are overwritten in the image. */
async function setTimes(path: string, script: string): Promise<void> {
  const inodes = [2, ...Array.from({ length: 10 }, (_, index) => 11 + index)];
  const fields = FIELDS.flatMap((field) => [`${field} @${EPOCH}`, `${field}_extra 0`]);
  const lines = inodes.flatMap((inode) => fields.map((field) => `sif <${inode}> ${field}`));
  await writeFile(script, `${lines.join('\n')}\n`);
  try {
    await tool('debugfs', ['-w', '-f', script, path]);
  } finally {
    await rm(script, { force: true });
  }
}

/** The clock of e2fsprogs is stopped, so that superblock and inodes carry no time of the build. */
async function tool(name: string, args: string[]): Promise<string> {
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  const env = { ...process.env, PATH: path, E2FSPROGS_FAKE_TIME: String(EPOCH) };
  return (await run(name, args, { env })).stdout;
}

/** One file of an image that lies at `offset` of `path` (a partition of a disk); undefined when it has none. */
export async function readImageFile(path: string, offset: number, file: string): Promise<string | undefined> {
  const args = ['-R', `cat ${file}`, `${path}?offset=${offset}`];
  const content = await tool('debugfs', args).catch(() => ''); // no file system there: status 1
  return content === '' ? undefined : content;
}
