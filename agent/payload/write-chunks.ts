import type { Medium } from '../slots/medium.ts';
import { fetchChunk } from './chunk.ts';
import type { Fetcher } from './fetcher.ts';
import { chunkBytes, type Manifest } from './manifest.ts';

/** How much of the image is written, in bytes; `reused` of them were there before. */
export interface Progress {
  bytes: number;
  total: number;
  reused: number;
}

export interface WriteOptions {
  medium: Medium;
  fetcher: Fetcher;
  blob: string;
  manifest: Manifest;
  /** Chunks before this one are on the medium already. */
  first: number;
  /** Notes that so many chunks are safe on the medium. */
  record: (chunks: number) => Promise<void>;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** Chunks being fetched and unpacked while one is written. */
const AHEAD = 3;
/** After so many bytes they are synced and noted. */
const SYNC_BYTES = 32 * 1024 * 1024;

/** Fetches and writes the chunks from `first` on, in order and a few at a time, and syncs them. */
export async function writeChunks(options: WriteOptions): Promise<void> {
  const { medium, manifest, first, record, signal, onProgress } = options;
  const { chunkSize, chunks, size } = manifest;
  const reused = Math.min(first * chunkSize, size);
  let unsynced = 0;
  let index = first;
  onProgress?.({ bytes: reused, total: size, reused });
  for await (const raw of chunksInOrder(options)) {
    signal?.throwIfAborted();
    await medium.write(index * chunkSize, raw);
    index++;
    unsynced += raw.length;
    if (unsynced >= SYNC_BYTES || index === chunks.length) {
      await medium.sync();
      await record(index);
      unsynced = 0;
    }
    onProgress?.({ bytes: (index - 1) * chunkSize + chunkBytes(manifest, index - 1), total: size, reused });
  }
}

async function* chunksInOrder({ fetcher, blob, manifest, first }: WriteOptions): AsyncGenerator<Buffer> {
  const count = manifest.chunks.length;
  const ahead: Promise<Buffer>[] = [];
  for (let index = first; index < count; index++) {
    for (let next = index + ahead.length; next < count && next <= index + AHEAD; next++) {
      const chunk = fetchChunk(fetcher, blob, manifest, next);
      chunk.catch(() => {}); // heard of when its turn comes; never, if an earlier one failed
      ahead.push(chunk);
    }
    const raw = await ahead.shift();
    if (raw) yield raw;
  }
}
