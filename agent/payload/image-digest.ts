import { createHash } from 'node:crypto';
import type { Medium } from '../slots/medium.ts';

const PIECE = 1024 * 1024;

/** SHA-256, in hex, of the first `size` bytes as they are on the medium itself, past the page cache. */
export async function imageDigest(medium: Medium, size: number, signal?: AbortSignal): Promise<string> {
  const digest = createHash('sha256');
  let next = piece(medium, 0, size);
  for (let offset = 0; offset < size; offset += PIECE) {
    const bytes = await next;
    signal?.throwIfAborted();
    // The next piece is read while this one is hashed.
    if (offset + PIECE < size) next = piece(medium, offset + PIECE, size);
    digest.update(bytes);
  }
  return digest.digest('hex');
}

function piece(medium: Medium, offset: number, size: number): Promise<Buffer> {
  return medium.readBack(offset, Math.min(PIECE, size - offset));
}
