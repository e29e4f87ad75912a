import { hash } from 'node:crypto';
import { Transform } from 'node:stream';
import { PIECE_BYTES } from './file-digests.ts';

/** Which of the bytes that come are wanted: the stream begins with the piece of this index. */
export interface Wanted {
  /** SHA-256 of every piece of the file, in base64. */
  pieces: readonly string[];
  index: number;
  /** Bytes to leave out at the beginning, and how many to let through. */
  skip: number;
  length: number;
}

/** Lets no byte through before its piece was checked; `corrupt` makes the error that ends it instead. */
export function checkedPieces({ pieces, index, skip, length }: Wanted, corrupt: () => Error): Transform {
  let [parts, filled]: [Buffer[], number] = [[], 0];
  let [next, left, hidden] = [index, length, skip];
  const release = (stream: Transform): Error | undefined => {
    const piece = Buffer.concat(parts, filled);
    [parts, filled] = [[], 0];
    if (hash('sha256', piece, 'base64') !== pieces[next]) return corrupt();
    next += 1;
    const wanted = piece.subarray(hidden, hidden + left);
    hidden = 0;
    left -= wanted.length;
    stream.push(wanted);
    return undefined;
  };
  return new Transform({
    readableHighWaterMark: PIECE_BYTES,
    transform(chunk: Buffer, _, done) {
      let rest = chunk;
      while (filled + rest.length >= PIECE_BYTES) {
        const end = PIECE_BYTES - filled;
        parts.push(rest.subarray(0, end));
        filled += end;
        rest = rest.subarray(end);
        const error = release(this);
        if (error !== undefined) return done(error);
      }
      if (rest.length > 0) parts.push(rest);
      filled += rest.length;
      done();
    },
    flush(done) {
      const error = filled > 0 ? release(this) : undefined;
      done(error ?? (left > 0 ? corrupt() : null));
    },
  });
}
