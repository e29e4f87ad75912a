/** Bytes that outlive the power: a disk, a partition, or an image file. Offsets and sizes are in bytes. */
export interface Medium {
  readonly size: number;
  /** Exactly `length` bytes, as the page cache knows them; past the end is an `IoError`. */
  read(offset: number, length: number): Promise<Buffer>;
  /** The same from the medium itself, past the page cache wherever the system can do that. */
  readBack(offset: number, length: number): Promise<Buffer>;
  /** Writes all of `bytes` or throws; nothing is safe from a power cut before `sync`. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Returns once everything written is on the medium. */
  sync(): Promise<void>;
}

/** A medium that somebody must close. */
export interface OpenMedium extends Medium {
  close(): Promise<void>;
}
