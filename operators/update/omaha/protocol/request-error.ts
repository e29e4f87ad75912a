/**
 * Why a body is no Omaha request.
 * * `Malformed`: it is not well-formed XML; mend the client.
 * * `NotARequest`: its root element is not `request`.
 * * `Encoding`: it is not UTF-8, or says that it is not.
 * * `TooComplex`: more apps, events, elements, attributes or levels than a client has reason to send.
 */
export type RequestErrorCode = 'Malformed' | 'NotARequest' | 'Encoding' | 'TooComplex';

export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
