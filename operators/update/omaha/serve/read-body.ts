import type { IncomingMessage } from 'node:http';
import { MAX_BODY_BYTES } from '../protocol/bounds.ts';

/** The body, or undefined when it is longer than is read; what lies beyond the bound is never kept. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > MAX_BODY_BYTES) return undefined;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
  const chunks: Buffer[] = [];
  let size = 0;
  // Listened to, and not iterated over, which costs more: this is done for each request.
  const take = (chunk: Buffer): void => {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) return void chunks.push(chunk);
    // The socket must outlive the body: an answer follows, also when the body is not read to its end.
    request.off('data', take).pause();
    resolve(undefined);
  };
  request.on('data', take).once('error', reject);
  request.once('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
  return promise;
}
