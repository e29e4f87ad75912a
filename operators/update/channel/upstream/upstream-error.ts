import type { UpstreamErrorCode } from '#api/update-channel.ts';

/** A check with an upstream server that was in vain; the message says what to do. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly code: UpstreamErrorCode;

  constructor(code: UpstreamErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}
