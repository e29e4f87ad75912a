import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestErrorCode } from '../protocol/request-error.ts';

/**
 * Why a request got no Omaha answer; sent as the header `careen-reason`, and counted. 4xx is the client's doing and
 * it tries again at its usual time; with 5xx update_engine doubles its interval.
 */
export type RefusalCode =
  | RequestErrorCode
  | 'NoSuchPath'
  | 'Method'
  | 'Secret'
  | 'TooLarge'
  | 'Encoded'
  | 'TooMany'
  | 'Store'
  | 'Aborted'
  | 'Internal';

const STATUS: Readonly<Record<RefusalCode, number>> = {
  Malformed: 400,
  NotARequest: 400,
  Encoding: 400,
  TooComplex: 400,
  // As Nebraska answers these.
  TooLarge: 400,
  Secret: 501,
  NoSuchPath: 404,
  Method: 405,
  Encoded: 415,
  TooMany: 429,
  Store: 503,
  Aborted: 400,
  Internal: 500,
};

/** Clients that misbehave on what they send are not listened to any further. */
const READ_ON = new Set<RefusalCode>([
  'Malformed',
  'NotARequest',
  'Encoding',
  'TooComplex',
  'Store',
  'Internal',
]);

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  readonly #retryAfter: number | undefined;

  /** `retryAfter` in seconds. */
  constructor(code: RefusalCode, retryAfter?: number) {
    super(code);
    this.code = code;
    this.#retryAfter = retryAfter;
  }

  send(request: IncomingMessage, response: ServerResponse): void {
    if (response.destroyed || response.headersSent) return;
    const body = this.code === 'Method' ? '{"message":"Method Not Allowed"}' : '';
    response.writeHead(STATUS[this.code], {
      'careen-reason': this.code,
      'content-length': body.length,
      ...(body === '' ? {} : { 'content-type': 'application/json', allow: 'POST' }),
      ...(this.#retryAfter === undefined ? {} : { 'retry-after': String(this.#retryAfter) }),
      ...(READ_ON.has(this.code) ? {} : { connection: 'close' }),
    });
    response.end(body);
    // What is left of a body that is too long is not worth reading.
    if (!request.complete) request.resume();
  }
}
