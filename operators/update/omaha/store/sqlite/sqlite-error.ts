import { isStoreError, StoreError, type StoreErrorCode } from '../store-error.ts';

/** SQLite's primary result codes, https://sqlite.org/rescode.html, as far as a caller can act on them. */
const CODES: Readonly<Record<number, [StoreErrorCode, string]>> = {
  5: ['InUse', 'another process has it open'],
  6: ['InUse', 'another process has it open'],
  8: ['Unavailable', 'it may only be read'],
  10: ['Unavailable', 'the disk cannot be read or written'],
  11: ['Corrupt', 'it is damaged: restore it, or remove it and let the machines come again'],
  13: ['Full', 'no room is left on the disk'],
  14: ['Unavailable', 'it cannot be opened'],
  26: ['Foreign', 'it is no SQLite database'],
};

/** The store's word for an error of SQLite. */
export function sqliteError(error: unknown, file: string): StoreError {
  if (isStoreError(error)) return error;
  const { errcode, message } = error as { errcode?: number; message?: string };
  const [code, what] = CODES[(errcode ?? 0) & 0xff] ?? (['Unavailable', 'it failed'] as const);
  return new StoreError(code, `${file}: ${what} (${message ?? String(error)})`, error);
}
