import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { copyAtOnce } from './copy-at-once.ts';
import { blobPath, type Descriptor } from './descriptor.ts';
import { Meter } from './meter.ts';
import { runTool } from './run-tool.ts';
import { tarArguments } from './tar-arguments.ts';

/** What a layer is made of: the tree below a directory, or a tar that there already is. */
export type LayerSource = { directory: string } | { tar: string };

/**
 * `gzip` is read by every registry and engine that there is, and makes the images small enough; zstd -19 takes a
 * quarter off and ten times as long. `none` is for tests: quick to write and to import.
 */
export type Compression = 'gzip' | 'none';

/** A layer in a file. */
export interface Layer {
  file: string;
  descriptor: Descriptor;
  /** Digest of the tar before compression: what `rootfs.diff_ids` of the configuration lists. */
  diffId: string;
}

/** How to pack a layer. */
export interface PackOptions {
  compression: Compression;
  /** Where to keep the compressed form of a layer that seldom changes, by its diff ID. */
  cache?: string | undefined;
}

/** Writes a layer to `<layout>/blobs/sha256/<hex>`. */
export async function packLayer(
  source: LayerSource,
  layout: string,
  { compression, cache }: PackOptions,
): Promise<Layer> {
  await mkdir(path.join(layout, 'blobs/sha256'), { recursive: true });
  const tar = path.join(layout, `layer-${randomUUID()}`);
  const plain = await meteredFile(tar, (output) => writeTar(source, output));
  if (compression === 'none') return keep(layout, tar, plain, plain.digest);
  const kept = cache && path.join(cache, `${plain.digest.replace(':', '-')}.tar.gz`);
  const packed = await meteredFile(`${tar}.gz`, (output) => gzip(tar, kept, output));
  await rm(tar);
  if (kept !== undefined) await copyAtOnce(`${tar}.gz`, kept);
  return keep(layout, `${tar}.gz`, packed, plain.digest);
}

async function meteredFile(file: string, write: (output: Writable) => Promise<unknown>): Promise<Descriptor> {
  const meter = new Meter();
  await Promise.all([write(meter), pipeline(meter, createWriteStream(file))]);
  const suffix = file.endsWith('.gz') ? '+gzip' : '';
  const mediaType = `application/vnd.oci.image.layer.v1.tar${suffix}`;
  return { mediaType, digest: meter.digest(), size: meter.size };
}

async function writeTar(source: LayerSource, output: Writable): Promise<unknown> {
  if ('tar' in source) return pipeline(createReadStream(source.tar), output);
  const entries = await readdir(source.directory);
  return runTool('tar', tarArguments(source.directory, entries), { output });
}

/** Not Node's zlib: that one takes other ways, and so finds other bytes, on other processors. */
async function gzip(file: string, kept: string | undefined, output: Writable): Promise<unknown> {
  if (kept !== undefined && existsSync(kept)) return pipeline(createReadStream(kept), output);
  return runTool('gzip', ['--no-name', '--stdout'], { input: createReadStream(file), output });
}

async function keep(layout: string, from: string, descriptor: Descriptor, diffId: string): Promise<Layer> {
  const file = path.join(layout, blobPath(descriptor.digest));
  await rename(from, file);
  return { file, descriptor, diffId };
}
