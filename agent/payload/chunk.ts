import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdDecompress } from 'node:zlib';
import type { Fetcher } from './fetcher.ts';
import { chunkBytes, type Manifest } from './manifest.ts';
import { PayloadError } from './payload-error.ts';

const decompress = promisify(zstdDecompress);

/** A frame that wants a larger window (16 MiB, the largest chunk) is refused before memory is taken for it. */
const MAX_WINDOW_LOG = 24;
/** How often a chunk is fetched whose bytes are wrong: a bit may flip on the way once. */
const ATTEMPTS = 3;

/** Whether `raw` are the bytes of chunk `index`. */
export function isChunk(manifest: Manifest, index: number, raw: Buffer): boolean {
  return hash('sha256', raw) === manifest.chunks[index]?.sha256;
}

/** Fetches chunk `index`, unpacks it and checks it; throws `ChunkCorrupt` or what `Fetcher` throws. */
export async function fetchChunk(
  fetcher: Fetcher,
  blob: string,
  manifest: Manifest,
  index: number,
): Promise<Buffer> {
  const { offset, length } = manifest.chunks[index] ?? { offset: 0, length: 0 };
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const raw = await unpackChunk(manifest, index, await fetcher.range(blob, offset, length));
    if (raw && isChunk(manifest, index, raw)) return raw;
  }
  throw new PayloadError(
    'ChunkCorrupt',
    `chunk ${index} of ${blob} is not what the manifest says, ${ATTEMPTS} times; publish the payload again`,
  );
}

/** The bytes of chunk `index`. None if these are no zstd frame, or one that unpacks to more than the chunk has. */
export async function unpackChunk(
  manifest: Manifest,
  index: number,
  bytes: Buffer,
): Promise<Buffer | undefined> {
  if (manifest.compression === 'none') return bytes;
  const size = chunkBytes(manifest, index);
  try {
    return await decompress(bytes, {
      maxOutputLength: size,
      chunkSize: size + 1024, // one allocation for all of the output
      params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
    });
  } catch {
    return undefined;
  }
}
