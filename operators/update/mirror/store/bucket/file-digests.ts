import { createHash, hash } from 'node:crypto';
import { open } from 'node:fs/promises';

/** What is read and checked at once when a payload is served: a range costs at most two of them more. */
export const PIECE_BYTES = 1024 * 1024;

/** Digests of a file. */
export interface FileDigests {
  size: number;
  /** Of the whole, in hex. */
  sha256: string;
  /** SHA-256 of each part that is uploaded, in base64; at least one. */
  parts: string[];
  /** SHA-256 of each piece, in base64. */
  pieces: string[];
  /** What S3 remembers of it: of the file, or of its parts' digests with their number. */
  checksum: string;
}

/** Reads a file once. `partBytes` is a multiple of PIECE_BYTES. */
export async function fileDigests(path: string, partBytes: number): Promise<FileDigests> {
  const whole = createHash('sha256');
  const [parts, pieces]: [Buffer[], string[]] = [[], []];
  let [part, filled, size] = [createHash('sha256'), 0, 0];
  for await (const piece of piecesOf(path)) {
    whole.update(piece);
    part.update(piece);
    pieces.push(hash('sha256', piece, 'base64'));
    filled += piece.length;
    size += piece.length;
    if (filled < partBytes) continue;
    parts.push(part.digest());
    [part, filled] = [createHash('sha256'), 0];
  }
  if (filled > 0 || parts.length === 0) parts.push(part.digest());
  const names = parts.map((digest) => digest.toString('base64'));
  const checksum =
    names.length === 1
      ? (names[0] ?? '')
      : `${hash('sha256', Buffer.concat(parts), 'base64')}-${names.length}`;
  return { size, sha256: whole.digest('hex'), parts: names, pieces, checksum };
}

async function* piecesOf(path: string): AsyncGenerator<Buffer> {
  const file = await open(path, 'r');
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      let filled = 0;
      for (let read = 1; read > 0 && filled < PIECE_BYTES; filled += read) {
        read = (await file.read(piece, filled, PIECE_BYTES - filled)).bytesRead;
      }
      if (filled > 0) yield piece.subarray(0, filled);
      if (filled < PIECE_BYTES) return;
    }
  } finally {
    await file.close();
  }
}
