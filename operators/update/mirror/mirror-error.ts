/** What can go wrong between a release and the mirror. */
export type MirrorErrorCode =
  | 'Unreachable' // no answer, or one that may pass: tried again
  | 'Refused' // the server answers, and will not give the file
  | 'SizeMismatch'
  | 'DigestMismatch'
  | 'PayloadMalformed' // not a full CrAU payload, or beyond its bounds
  | 'PayloadCorrupt' // an operation's data has another digest
  | 'KeyUnknown' // signed by no key that the channel trusts
  | 'ManifestInvalid' // the careen manifest, its signature or a chunk
  | 'NoRoom'; // it would not fit into the mirror

/** A release that cannot be mirrored; the message says what to do. */
export class MirrorError extends Error {
  override readonly name = 'MirrorError';
  readonly code: MirrorErrorCode;

  constructor(code: MirrorErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}
