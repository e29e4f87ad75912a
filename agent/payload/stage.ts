import type { SlotTarget } from '../slots/engine.ts';
import { SlotError } from '../slots/slot-error.ts';
import { isChunk } from './chunk.ts';
import { Fetcher, type FetchLimits } from './fetcher.ts';
import { imageDigest } from './image-digest.ts';
import { Journal } from './journal.ts';
import { chunkBytes, type Manifest } from './manifest.ts';
import { PayloadError } from './payload-error.ts';
import { fetchManifest, type Wanted } from './verified-manifest.ts';
import { writeChunks, type Progress } from './write-chunks.ts';

export interface StageOptions extends Wanted {
  target: SlotTarget;
  /** Directory of the journal by which an interrupted staging goes on. */
  stateDir: string;
  signal?: AbortSignal | undefined;
  /** Called after every chunk. */
  onProgress?: ((progress: Progress) => void) | undefined;
  limits?: Partial<FetchLimits> | undefined;
}

/** What is in the slot now: SHA-256 and size of the image; `reused` bytes of it were there before. */
export interface Staged {
  sha256: string;
  size: number;
  reused: number;
}

/**
 * Writes a payload into a slot: manifest verified, slot cleared, every chunk checked before it is written,
 * the whole read back from the medium. The slot is not made selectable here, so it stays cleared whatever
 * goes wrong; nothing is touched before the manifest is verified. Call it again to go on after a failure.
 *
 * Throws `PayloadError`, `SlotError`, or the signal's reason.
 */
export async function stagePayload(options: StageOptions): Promise<Staged> {
  const fetcher = new Fetcher(options.signal, options.limits);
  try {
    const { manifest, digest } = await fetchManifest(fetcher, options);
    checkFits(manifest, options.target);
    return await fill(options, fetcher, manifest, digest);
  } finally {
    await fetcher.close();
  }
}

async function fill(
  options: StageOptions,
  fetcher: Fetcher,
  manifest: Manifest,
  digest: string,
): Promise<Staged> {
  const { target, signal, onProgress } = options;
  const journal = new Journal(options.stateDir);
  const last = await journal.read();
  const claimed = last?.manifestDigest === digest ? last.chunks : 0;
  // Written before the slot is touched, so that a state directory without room is found out in time.
  await journal.write({ manifestDigest: digest, chunks: claimed });
  await target.clear();
  const first = await goodChunks(target, manifest, claimed, signal);
  const record = (chunks: number) => journal.write({ manifestDigest: digest, chunks });
  const blob = new URL(manifest.blob, options.manifest).href;
  await writeChunks({ medium: target.medium, fetcher, blob, manifest, first, record, signal, onProgress });
  await checkImage(target, manifest, signal);
  return {
    sha256: manifest.sha256,
    size: manifest.size,
    reused: Math.min(first * manifest.chunkSize, manifest.size),
  };
}

function checkFits({ size }: Manifest, { name, medium }: SlotTarget): void {
  if (size <= medium.size) return;
  throw new SlotError(
    'SlotTooSmall',
    `the image has ${size} bytes and ${name} only ${medium.size}; use a smaller image`,
  );
}

/** How many of the first `claimed` chunks are really on the medium. */
async function goodChunks(
  target: SlotTarget,
  manifest: Manifest,
  claimed: number,
  signal?: AbortSignal,
): Promise<number> {
  const { chunkSize, chunks } = manifest;
  for (let index = 0; index < Math.min(claimed, chunks.length); index++) {
    signal?.throwIfAborted();
    const raw = await target.medium.readBack(index * chunkSize, chunkBytes(manifest, index));
    if (!isChunk(manifest, index, raw)) return index;
  }
  return Math.min(claimed, chunks.length);
}

/** Every chunk was right when it was written: a wrong image is the medium's fault, or else the manifest's. */
async function checkImage(target: SlotTarget, manifest: Manifest, signal?: AbortSignal): Promise<void> {
  if ((await imageDigest(target.medium, manifest.size, signal)) === manifest.sha256) return;
  const good = await goodChunks(target, manifest, manifest.chunks.length, signal);
  if (good === manifest.chunks.length) {
    throw new PayloadError(
      'DigestMismatch',
      'the image is not the one whose SHA-256 the manifest gives; publish it again',
    );
  }
  const at = good * manifest.chunkSize;
  throw new PayloadError(
    'MediumCorrupt',
    `${target.name} did not keep what was written at byte ${at}; check the disk`,
  );
}
