/**
 * Why the store did not do what it was asked. Whatever failed was not acknowledged; it may be asked again, and
 * asking twice changes nothing.
 * * `Unavailable`: the database cannot be reached or lost its connection; try again later.
 * * `Overloaded`: more requests wait than may; try again later.
 * * `Contended`: other replicas were in the way as often as is tried; try again.
 * * `Full`: as many machines are kept as may be, or no room is left on the disk.
 * * `TooLarge`: a value is longer than the store keeps.
 * * `SchemaNewer`: a newer release of Careen has written the database; run that one.
 * * `Foreign`: the file or the schema is of another program; give another name.
 * * `Corrupt`: the database contradicts itself; restore it, or remove it and let the machines come again.
 * * `InUse`: another process has the file open; give each its own, or use PostgreSQL.
 * * `Closed`: the store was closed.
 */
export type StoreErrorCode =
  | 'Unavailable'
  | 'Overloaded'
  | 'Contended'
  | 'Full'
  | 'TooLarge'
  | 'SchemaNewer'
  | 'Foreign'
  | 'Corrupt'
  | 'InUse'
  | 'Closed';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

export function isStoreError(error: unknown, code?: StoreErrorCode): error is StoreError {
  return error instanceof StoreError && (code === undefined || error.code === code);
}
