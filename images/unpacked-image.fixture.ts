import { lstat, mkdir, readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { blobPath, digestOf, type Descriptor } from './oci/descriptor.ts';
import { runTool } from './oci/run-tool.ts';

/** A file of an image. */
export interface Entry {
  path: string;
  mode: number;
  owner: string;
  /** Digest of a file, target of a link, nothing for a directory. */
  content: string;
}

/** An image as a container would see it. */
export interface UnpackedImage {
  config: Record<string, unknown>;
  layers: Descriptor[];
  /** The directory with its files. */
  root: string;
  entries: Entry[];
}

/** Unpacks the image of an archive below `into`. Every digest is checked on the way. */
export async function unpackImage(archive: string, into: string): Promise<UnpackedImage> {
  const layout = await unpackArchive(archive, into);
  const index = JSON.parse(await readFile(path.join(layout, 'index.json'), 'utf8')) as Index;
  const [descriptor] = index.manifests;
  if (descriptor === undefined || index.manifests.length > 1) throw new Error('not one image');
  const manifest = await read<Manifest>(layout, descriptor);
  const config = await read<Config>(layout, manifest.config);
  const root = path.join(into, 'root');
  await mkdir(root, { recursive: true });
  for (const [at, layer] of manifest.layers.entries()) {
    await blob(layout, layer);
    await unpackLayer(path.join(layout, blobPath(layer.digest)), root, config.rootfs.diff_ids[at]);
  }
  return { config: config.config, layers: manifest.layers, root, entries: await listEntries(root) };
}

interface Index {
  manifests: Descriptor[];
}

interface Manifest {
  config: Descriptor;
  layers: Descriptor[];
}

interface Config {
  config: Record<string, unknown>;
  rootfs: { diff_ids: string[] };
}

async function unpackArchive(archive: string, into: string): Promise<string> {
  const layout = path.join(into, 'layout');
  await mkdir(layout, { recursive: true });
  await runTool('tar', ['--extract', `--file=${archive}`, `--directory=${layout}`]);
  return layout;
}

async function read<T>(layout: string, descriptor: Descriptor): Promise<T> {
  return JSON.parse((await blob(layout, descriptor)).toString('utf8')) as T;
}

async function blob(layout: string, { digest, size }: Descriptor): Promise<Buffer> {
  const content = await readFile(path.join(layout, blobPath(digest)));
  if (digestOf(content) !== digest) throw new Error(`${digest} has another digest`);
  if (content.byteLength !== size) throw new Error(`${digest} has ${content.byteLength} bytes, not ${size}`);
  return content;
}

async function unpackLayer(file: string, root: string, diffId: string | undefined): Promise<void> {
  const packed = await readFile(file);
  const tar = packed.readUInt16BE(0) === 0x1f8b ? gunzipSync(packed) : packed;
  if (digestOf(tar) !== diffId) throw new Error(`${file} unpacks to another tar than ${diffId}`);
  const flags = ['--extract', '--preserve-permissions', '--same-owner', '--numeric-owner'];
  await runTool('tar', [...flags, `--directory=${root}`], { input: Readable.from([tar]) });
}

/** All files below `root`, by name. */
export async function listEntries(root: string, below = ''): Promise<Entry[]> {
  const names = (await readdir(path.join(root, below))).toSorted();
  return (await Promise.all(names.map((name) => entry(root, path.join(below, name))))).flat();
}

async function entry(root: string, name: string): Promise<Entry[]> {
  const file = path.join(root, name);
  const found = await lstat(file);
  const common = { path: name, mode: found.mode & 0o7777, owner: `${found.uid}:${found.gid}` };
  if (found.isSymbolicLink()) return [{ ...common, content: await readlink(file) }];
  if (found.isFile()) return [{ ...common, content: digestOf(await readFile(file)) }];
  return [{ ...common, content: '' }, ...(await listEntries(root, name))];
}
