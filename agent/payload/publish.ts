import { createHash, hash } from 'node:crypto';
import { mkdir, open, rename, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { osVersion } from '#api/fields.ts';
import { chunkBytes, isChunkSize, parseManifest, type Chunk, type Manifest } from './manifest.ts';
import { sign } from './minisign.ts';

const compress = promisify(zstdCompress);

export interface PublishOptions {
  /** Path of the image. */
  image: string;
  version: string;
  /** Directory that gets a directory named like the version. */
  outDir: string;
  /** Text of an unencrypted minisign secret key file. */
  secretKey: string;
  /** Bytes, a power of two from 64 KiB to 16 MiB; 1 MiB if not given. */
  chunkSize?: number | undefined;
  compression?: Manifest['compression'] | undefined;
  /** From when on agents must refuse it, RFC 3339; never if not given. */
  expires?: string | undefined;
  /** zstd's, 1–22; 9 if not given. */
  level?: number | undefined;
}

export interface Published {
  /** Path of the manifest; its signature and blob are beside it. */
  manifest: string;
  /** SHA-256 of the manifest file, for a channel to pin. */
  sha256: string;
  /** Bytes of the image and of the blob. */
  size: number;
  blobSize: number;
}

/**
 * Cuts an image into chunks and writes manifest, signature and blob. Every chunk is a zstd frame of its own,
 * so the whole blob unpacks with `zstd -d` too. The manifest appears last, so that who finds it finds all.
 */
export async function publishPayload(options: PublishOptions): Promise<Published> {
  check(options);
  const directory = join(options.outDir, options.version);
  await mkdir(directory, { recursive: true });
  const manifest = await writeBlob(options, join(directory, 'blob.tmp'));
  await rename(join(directory, 'blob.tmp'), join(directory, 'blob'));
  const bytes = Buffer.from(JSON.stringify(manifest));
  parseManifest(bytes); // what agents would refuse is not published
  const path = join(directory, 'manifest.json');
  const comment = `version ${options.version}`;
  await writeFile(`${path}.minisig`, sign(bytes, options.secretKey, comment));
  await writeFile(`${path}.tmp`, bytes);
  await rename(`${path}.tmp`, path);
  const last = manifest.chunks.at(-1);
  const blobSize = last ? last.offset + last.length : 0;
  return { manifest: path, sha256: hash('sha256', bytes), size: manifest.size, blobSize };
}

function check({ version, chunkSize = 1024 * 1024 }: PublishOptions): void {
  if (!osVersion.safeParse(version).success) throw new RangeError(`"${version}" is not a version like 1.2.3`);
  if (!isChunkSize(chunkSize)) throw new RangeError('a chunk has a power of two of bytes, 64 KiB to 16 MiB');
}

async function writeBlob(options: PublishOptions, path: string): Promise<Manifest> {
  const { image, version, expires, chunkSize = 1024 * 1024, compression = 'zstd', level = 9 } = options;
  const { size } = await stat(image);
  const manifest: Manifest = {
    format: 1,
    version,
    created: new Date().toISOString(),
    ...(expires === undefined ? {} : { expires }),
    size,
    sha256: '',
    chunkSize,
    compression,
    blob: 'blob',
    chunks: [],
  };
  const digest = createHash('sha256');
  const [source, blob] = [await open(image, 'r'), await open(path, 'w')];
  try {
    for (let index = 0; index * chunkSize < size; index++) {
      const raw = await readChunk(source, index * chunkSize, chunkBytes(manifest, index));
      digest.update(raw);
      manifest.chunks.push(await writeChunk(blob, raw, manifest, level));
    }
  } finally {
    await source.close();
    await blob.close();
  }
  return { ...manifest, sha256: digest.digest('hex') };
}

async function readChunk(source: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await source.read(Buffer.alloc(length), 0, length, offset);
  if (bytesRead < length) throw new Error('the image became shorter while it was read; try again');
  return buffer;
}

async function writeChunk(blob: FileHandle, raw: Buffer, manifest: Manifest, level: number): Promise<Chunk> {
  const packed = manifest.compression === 'none' ? raw : await pack(raw, level);
  const before = manifest.chunks.at(-1);
  await blob.appendFile(packed);
  return {
    sha256: hash('sha256', raw),
    offset: before ? before.offset + before.length : 0,
    length: packed.length,
  };
}

function pack(raw: Buffer, level: number): Promise<Buffer> {
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
  return compress(raw, { pledgedSrcSize: raw.length, params });
}
