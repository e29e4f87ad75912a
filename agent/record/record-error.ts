export type RecordErrorCode = 'Unreadable' | 'FormatUnknown' | 'Unwritable';

/** The agent's record cannot be used. It is never taken for an empty one: that would forget a quarantine or a first boot. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
  readonly code: RecordErrorCode;

  constructor(code: RecordErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
