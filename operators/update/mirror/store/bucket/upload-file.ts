import { open, readFile, type FileHandle } from 'node:fs/promises';
import { MirrorError } from '../../mirror-error.ts';
import type { VerifiedFile } from '../payload-store.ts';
import type { Bucket, Known } from './bucket.ts';
import { isBucketError } from './bucket-error.ts';
import { fileDigests, type FileDigests } from './file-digests.ts';
import { Multipart, type Upload } from './multipart.ts';

const MEBIBYTE = 1024 * 1024;
const PART_BYTES = 8 * MEBIBYTE;
/** S3's limit. */
const MOST_PARTS = 10_000;

/** An object that is what its file was. */
export interface Uploaded extends Pick<FileDigests, 'pieces'> {
  etag: string;
}

/** So large are the parts of a file: the same whoever uploads it, so that another can go on. */
export function partBytes(size: number, least = PART_BYTES): number {
  return Math.max(least, Math.ceil(size / MOST_PARTS / MEBIBYTE) * MEBIBYTE);
}

/**
 * Makes a verified file an object. Parts that an earlier upload brought are kept, each being checked by its SHA-256;
 * nothing is visible before the last is there. Two that do it at the same time do the same. Throws BucketError, or
 * MirrorError when the file is not what was verified any more.
 */
export async function uploadFile(
  bucket: Bucket,
  key: string,
  file: VerifiedFile & { size: number },
  signal: AbortSignal,
  leastPart = PART_BYTES,
): Promise<Uploaded> {
  const bytes = partBytes(file.size, leastPart);
  const digests = await fileDigests(file.path, bytes);
  if (digests.sha256 !== file.sha256) throw changed(file.path);
  const known = await bucket.know(key);
  if (known !== undefined && isFile(known, digests)) return { etag: known.etag, pieces: digests.pieces };
  if (known !== undefined) await bucket.remove(key); // of another content, or of one that cannot be told
  const etag = await store(bucket, key, { file, digests, bytes }, signal).catch(async (error: unknown) => {
    // Somebody else was quicker, or the server had done it though it did not answer.
    const brought = isBucketError(error, 'Changed', 'Missing') ? await bucket.know(key) : undefined;
    if (brought !== undefined && isFile(brought, digests)) return brought.etag;
    throw isBucketError(error, 'Corrupt') ? changed(file.path, error) : error;
  });
  return { etag, pieces: digests.pieces };
}

interface Work {
  file: VerifiedFile;
  digests: FileDigests;
  bytes: number;
}

function isFile({ size, checksum }: Known, digests: FileDigests): boolean {
  return size === digests.size && checksum === digests.checksum;
}

async function store(bucket: Bucket, key: string, work: Work, signal: AbortSignal): Promise<string> {
  const { file, digests } = work;
  if (digests.parts.length > 1) return inParts(new Multipart(bucket), key, work, signal);
  const body = await readFile(file.path);
  return onlyNew((condition) => bucket.put(key, body, condition));
}

async function inParts(multipart: Multipart, key: string, work: Work, signal: AbortSignal): Promise<string> {
  const [begun] = (await multipart.begun(key)).filter((one) => one.key === key);
  const upload = { key, id: begun?.id ?? (await multipart.begin(key)) };
  try {
    const etags = await putParts(multipart, upload, work, signal);
    const parts = etags.map((etag, index) => ({ etag, checksum: work.digests.parts[index] ?? '' }));
    return await onlyNew((condition) => multipart.complete(upload, parts, condition));
  } catch (error) {
    // What may pass leaves the upload as it is: the next attempt goes on from there.
    if (isBucketError(error, 'Changed', 'Corrupt')) await multipart.abort(upload).catch(() => {}); // swept later
    throw error;
  }
}

async function putParts(
  multipart: Multipart,
  upload: Pick<Upload, 'key' | 'id'>,
  { file, digests, bytes }: Work,
  signal: AbortSignal,
): Promise<string[]> {
  const there = await multipart.parts(upload.key, upload.id);
  const source = await open(file.path, 'r');
  try {
    const etags: string[] = [];
    for (const [index, checksum] of digests.parts.entries()) {
      const known = there.get(index + 1);
      const body = known?.checksum === checksum ? undefined : await piece(source, index, bytes);
      const etag = body && (await multipart.put(upload, index + 1, { body, checksum }, signal));
      etags.push(etag ?? known?.etag ?? '');
    }
    return etags;
  } finally {
    await source.close();
  }
}

async function piece(source: FileHandle, index: number, bytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await source.read(Buffer.allocUnsafe(bytes), 0, bytes, index * bytes);
  return buffer.subarray(0, bytesRead);
}

/** With the condition that nothing is there, where the server knows conditions. */
async function onlyNew(act: (condition: { IfNoneMatch?: '*' }) => Promise<string>): Promise<string> {
  try {
    return await act({ IfNoneMatch: '*' });
  } catch (error) {
    const { name } = ((error as Error).cause ?? {}) as Error;
    if (name !== 'NotImplemented') throw error;
    return act({});
  }
}

function changed(path: string, cause?: unknown): MirrorError {
  const message = `${path} was changed after it was verified; it is fetched again`;
  return new MirrorError('DigestMismatch', message, cause);
}
