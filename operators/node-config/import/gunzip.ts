import { gunzipSync } from 'node:zlib';
import { tooLong } from './data-url.ts';

/** What gzip packed, or what is wrong with it. It stops as soon as there are more than `most` bytes. */
export function gunzip(packed: Uint8Array, most: number): { bytes: Buffer } | { wrong: string } {
  try {
    return { bytes: gunzipSync(packed, { maxOutputLength: most }) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return { wrong: code === 'ERR_BUFFER_TOO_LARGE' ? tooLong(most) : 'is not gzip, or damaged' };
  }
}
