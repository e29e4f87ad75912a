import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';

/** Bytes of a disk as firmware sees them: whole reads, whole writes, no cache of its own. */
export interface Medium {
  /** Size in bytes. */
  readonly size: number;
  read(offset: number, length: number): Buffer;
  write(offset: number, data: Buffer): void;
}

/** Opens an image file, lends it to `use` and closes it; what was written is on the medium when this returns. */
export function withImage<T>(path: string, use: (medium: Medium) => T): T {
  const fd = openSync(path, 'r+');
  try {
    const result = use(fileMedium(fd));
    fsyncSync(fd);
    return result;
  } finally {
    closeSync(fd);
  }
}

/** Opens an image file to read only. */
export function readImage<T>(path: string, use: (medium: Medium) => T): T {
  const fd = openSync(path, 'r');
  try {
    return use(fileMedium(fd));
  } finally {
    closeSync(fd);
  }
}

function fileMedium(fd: number): Medium {
  return {
    size: fstatSync(fd).size,
    read: (offset, length) => {
      const data = Buffer.alloc(length);
      readSync(fd, data, 0, length, offset);
      return data;
    },
    write: (offset, data) => {
      writeSync(fd, data, 0, data.length, offset);
    },
  };
}

/** A disk in memory, for tests that boot thousands of times. */
export function memoryMedium(bytes: Buffer): Medium {
  return {
    size: bytes.length,
    read: (offset, length) => Buffer.from(bytes.subarray(offset, offset + length)),
    write: (offset, data) => {
      data.copy(bytes, offset);
    },
  };
}
