import { constants } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { ConfigError } from '../config-error.ts';
import type { Directory } from './directory.ts';

/** Of Linux on all architectures that Kubernetes runs on; Node does not name it. */
const O_PATH = 0o10000000;
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * A handle to whatever `name` is, without opening it in earnest: it never waits for a fifo, wakes no device, and is a
 * link itself rather than what it leads to. ENOENT if there is none.
 */
export function pointAt(directory: Directory, name: string): Promise<FileHandle> {
  return open(directory.at(name), O_PATH | O_NOFOLLOW);
}

/** The file behind a handle of `pointAt` that is known to be a regular one. */
export function openPointed(pointed: FileHandle): Promise<FileHandle> {
  return open(`/proc/self/fd/${pointed.fd}`, O_RDONLY | O_NONBLOCK);
}

/** A small regular file as a whole. Throws `PathRefused` if it is something else or has more than `maxBytes`. */
export async function readBytes(
  directory: Directory,
  name: string,
  maxBytes: number,
): Promise<{ bytes: Buffer; stat: BigIntStats }> {
  await using pointed = await pointAt(directory, name);
  const stat = await pointed.stat({ bigint: true });
  const path = `${directory.path}/${name}`;
  if (!stat.isFile()) throw new ConfigError('PathRefused', `${path} is not a regular file`, { path });
  if (stat.size > BigInt(maxBytes))
    throw new ConfigError('PathRefused', `${path} is larger than ${maxBytes} bytes`, { path });
  await using file = await openPointed(pointed);
  const bytes = Buffer.alloc(Number(stat.size));
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  return { bytes: bytes.subarray(0, bytesRead), stat };
}
