import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { replaceFile } from '#agent/record/replace-file.ts';

const record = z.strictObject({ size: z.int().min(0), mtimeMs: z.number() });

/** SHA-256 of a file in hex, read in pieces. */
export async function fileDigest(path: string): Promise<string> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), digest);
  return digest.digest('hex');
}

/** Notes that the file at `path` is what its name says, as of its size and time of change. */
export async function writeRecord(path: string, recordPath: string): Promise<void> {
  const { size, mtimeMs } = await stat(path);
  await replaceFile(recordPath, JSON.stringify({ size, mtimeMs }));
}

/** Whether the file is as it was when it was verified; without a record nobody knows. */
export async function matchesRecord(path: string, recordPath: string): Promise<boolean> {
  const text = await readFile(recordPath, 'utf8').catch(() => undefined);
  const found = await stat(path).catch(() => undefined);
  if (text === undefined || found === undefined) return false;
  const { data } = record.safeParse(jsonOf(text));
  return data !== undefined && data.size === found.size && data.mtimeMs === found.mtimeMs;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
