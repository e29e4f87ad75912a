import type { UpdateErrorCode } from '#api/node-state.ts';

/** What can go wrong with a payload on its way to the slot: a part of the api's error codes. */
export type PayloadErrorCode = Extract<
  UpdateErrorCode,
  | 'ManifestUnreachable'
  | 'ManifestInvalid'
  | 'ManifestExpired'
  | 'ClockWrong'
  | 'SignatureInvalid'
  | 'KeyUnknown'
  | 'DigestMismatch'
  | 'VersionMismatch'
  | 'PayloadUnreachable'
  | 'PayloadTruncated'
  | 'ChunkCorrupt'
  | 'MediumCorrupt'
  | 'StateUnwritable'
>;

/** A payload that is not trusted, not reachable or not whole; the message says what to do. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
  readonly code: PayloadErrorCode;

  constructor(code: PayloadErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}
