import { z } from 'zod';
import { instant, osVersion } from '#api/fields.ts';
import { PayloadError } from './payload-error.ts';

/** A manifest file larger than this is not read to its end. */
export const MAX_MANIFEST_BYTES = 8 * 1024 * 1024;
export const MIN_CHUNK = 64 * 1024;
export const MAX_CHUNK = 16 * 1024 * 1024;
export const MAX_CHUNKS = 65_536;

/** Whether chunks may have `size` bytes. */
export function isChunkSize(size: number): boolean {
  return size >= MIN_CHUNK && size <= MAX_CHUNK && Number.isInteger(Math.log2(size));
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const whole = z.int().min(0);

const chunk = z.strictObject({ sha256, offset: whole, length: whole.min(1) });
export type Chunk = z.infer<typeof chunk>;

const schema = z.strictObject({
  format: z.literal(1),
  /** Equal to VERSION_ID of the image's os-release. */
  version: osVersion,
  /** When it was published, and from when on it must not be taken any more. */
  created: instant.optional(),
  expires: instant.optional(),
  /** Bytes of the image; its SHA-256. */
  size: whole.min(1).max(MAX_CHUNK * MAX_CHUNKS),
  sha256,
  chunkSize: z.int().min(MIN_CHUNK).max(MAX_CHUNK).refine(isChunkSize, 'is not a power of two'),
  compression: z.enum(['zstd', 'none']),
  /** Path of the blob, relative to the manifest; never another host, never upwards. */
  blob: z
    .string()
    .max(256)
    .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/),
  /** Chunk i holds the bytes of the image from i × chunkSize, at [offset, offset + length) of the blob. */
  chunks: z.array(chunk).min(1).max(MAX_CHUNKS),
});

/** What an image consists of and where its pieces are; to be trusted only after its signature was verified. */
export type Manifest = z.infer<typeof schema>;

/** Reads and checks a manifest file; throws `ManifestInvalid`. */
export function parseManifest(bytes: Buffer): Manifest {
  if (bytes.length > MAX_MANIFEST_BYTES) throw invalid(`it has ${bytes.length} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw invalid('it is not JSON', error);
  }
  const { data, error } = schema.safeParse(json);
  if (!data) throw invalid(problemOf(error), error);
  checkChunks(data);
  return data;
}

/** Bytes of the image in chunk `index`: chunkSize, but for the last. */
export function chunkBytes({ size, chunkSize }: Manifest, index: number): number {
  return Math.min(chunkSize, size - index * chunkSize);
}

function checkChunks(manifest: Manifest): void {
  const { size, chunkSize, chunks, compression } = manifest;
  const expected = Math.ceil(size / chunkSize);
  if (chunks.length !== expected)
    throw invalid(`it has ${chunks.length} chunks where its size needs ${expected}`);
  let end = 0;
  for (const [index, { offset, length }] of chunks.entries()) {
    const raw = chunkBytes(manifest, index);
    const fits = compression === 'none' ? length === raw : length <= compressBound(raw);
    if (!fits) throw invalid(`chunk ${index} takes ${length} bytes for ${raw}`);
    if (offset < end || !Number.isSafeInteger(offset + length)) throw invalid(`chunk ${index} is misplaced`);
    end = offset + length;
  }
}

/** The most that zstd makes of `raw` bytes that it cannot compress, generously (ZSTD_compressBound). */
function compressBound(raw: number): number {
  return raw + Math.ceil(raw / 256) + 1024;
}

function problemOf(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}`;
}

function invalid(problem: string, cause?: unknown): PayloadError {
  const message = `the payload manifest is not usable (${problem.slice(0, 200)}); publish the payload again`;
  return new PayloadError('ManifestInvalid', message, cause);
}
