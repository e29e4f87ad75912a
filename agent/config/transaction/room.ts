import type { StatsFs } from 'node:fs';

/** What is about to be written to one file system. */
export interface Need {
  /** A directory in it, for messages and as the agent finds it. */
  path: string;
  at: string;
  bytes: number;
  files: number;
}

/** For directories that grow, and for what others write meanwhile. */
const SPARE_BYTES = 256 * 1024;
const SPARE_FILES = 8;
/** What a file takes beyond its bytes, at most. */
const BLOCK = 4096;

/** Counts files in for their file system, which `key` tells. */
export function addNeed(needs: Map<string, Need>, key: string, { path, at, bytes, files }: Need): void {
  const need = needs.get(key) ?? { path, at, bytes: 0, files: 0 };
  need.bytes += bytes + files * BLOCK;
  need.files += files;
  needs.set(key, need);
}

/** Why a need has no room; undefined if it has. A file system without a fixed number of inodes says 0 of 0. */
export function shortOf(
  { bytes, files }: Pick<Need, 'bytes' | 'files'>,
  room: Pick<StatsFs, 'bsize' | 'bavail' | 'files' | 'ffree'>,
): string | undefined {
  const free = room.bavail * room.bsize;
  if (free < bytes + SPARE_BYTES)
    return `has ${free} bytes free where ${bytes + SPARE_BYTES} are needed: make room`;
  if (room.files > 0 && room.ffree < files + SPARE_FILES)
    return `has ${room.ffree} inodes free where ${files + SPARE_FILES} are needed: remove files`;
  return undefined;
}
