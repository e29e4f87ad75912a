import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Path of the block device that the kernel calls `number` (`8:4`): `path` if that is its node, else any other in the
 * same directory. Undefined where there is none, as where /sys shows devices of the whole computer and /dev only those
 * of one machine on it. A node of the same name may well be another device.
 */
export async function deviceNode(path: string, number: string): Promise<string | undefined> {
  if ((await numberOf(path)) === number) return path;
  const directory = dirname(path);
  for (const name of await readdir(directory).catch((): string[] => [])) {
    const other = join(directory, name);
    if ((await numberOf(other)) === number) return other;
  }
  return undefined;
}

async function numberOf(path: string): Promise<string | undefined> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isBlockDevice() === true ? deviceNumber(stats.rdev) : undefined;
}

/** `8:4`, from what `stat` calls rdev (glibc's makedev). */
export function deviceNumber(rdev: number): string {
  const device = BigInt(rdev);
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn & 0xffffffffn);
  return `${major}:${minor}`;
}
