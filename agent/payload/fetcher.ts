import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, interceptors, request, type Dispatcher } from 'undici';
import { PayloadError, type PayloadErrorCode } from './payload-error.ts';

/** Times in milliseconds. */
export interface FetchLimits {
  /** How long a server may take to answer, and to send its next bytes. */
  idleMs: number;
  /** How long one request may take as a whole. */
  requestMs: number;
  /** How often a request is made before it is given up. */
  attempts: number;
  /** Wait before the second attempt; doubled before each further one. */
  backoffMs: number;
}

const LIMITS: FetchLimits = { idleMs: 15_000, requestMs: 300_000, attempts: 5, backoffMs: 250 };
const CONNECTIONS = 4;
/** A server that sends less than so many bytes a second is given up: one drop a minute would last for years. */
const SLOWEST = 32 * 1024;

/** An answer that another attempt would not change. */
class Refused extends Error {
  readonly code: PayloadErrorCode | undefined;

  constructor(message: string, code?: PayloadErrorCode) {
    super(message);
    this.code = code;
  }
}

/**
 * Fetches pieces of a payload over HTTP, each in bounded memory and time. What may pass (no connection, 429,
 * 5xx) is tried again with growing waits; redirects are followed. Throws `PayloadError`, or the signal's
 * reason.
 */
export class Fetcher {
  // Requests are given up at any moment here, which undici's HTTP/2 does not bear (see runtime/client/exchange.ts).
  readonly #agent = new Agent({ connections: CONNECTIONS, allowH2: false });
  readonly #dispatcher = this.#agent.compose(interceptors.redirect({ maxRedirections: 5 }));
  readonly #closed = new AbortController();
  readonly #signal: AbortSignal;
  readonly #limits: FetchLimits;

  constructor(signal?: AbortSignal, limits: Partial<FetchLimits> = {}) {
    this.#signal = signal ? AbortSignal.any([signal, this.#closed.signal]) : this.#closed.signal;
    this.#limits = { ...LIMITS, ...limits };
  }

  /** A whole small file; one larger than `maxBytes` is `ManifestInvalid`. */
  async file(url: string, maxBytes: number): Promise<Buffer> {
    return this.#retry('ManifestUnreachable', url, {}, async ({ statusCode, body }) => {
      if (statusCode !== 200) throw new Refused(`it answers ${statusCode}`);
      const parts: Buffer[] = [];
      let size = 0;
      for await (const part of body as AsyncIterable<Buffer>) {
        size += part.length;
        if (size > maxBytes) throw new Refused(`it has more than ${maxBytes} bytes`, 'ManifestInvalid');
        parts.push(part);
      }
      return Buffer.concat(parts);
    });
  }

  /** Bytes [offset, offset + length) of a file; one that ends before is `PayloadTruncated`. */
  async range(url: string, offset: number, length: number): Promise<Buffer> {
    const range = `bytes=${offset}-${offset + length - 1}`;
    const requestMs = this.#limits.idleMs + (length / SLOWEST) * 1000;
    return this.#retry(
      'PayloadUnreachable',
      url,
      { range },
      async ({ statusCode, headers, body }) => {
        const all = Number(headers['content-length']) === length;
        if (statusCode === 416) throw new Refused(`it ends before byte ${offset}`, 'PayloadTruncated');
        if (statusCode === 200 && !(offset === 0 && all)) {
          throw new Refused('the server ignores ranges; use one that knows them');
        }
        if (statusCode !== 206 && statusCode !== 200) throw new Refused(`it answers ${statusCode}`);
        const start = /^bytes (\d+)-/.exec(String(headers['content-range'] ?? ''))?.[1];
        if (statusCode === 206 && Number(start) !== offset)
          throw new Refused('the server sends another range');
        return collect(body as AsyncIterable<Buffer>, length);
      },
      requestMs,
    );
  }

  /** Ends what is still under way. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#agent.destroy();
  }

  async #retry(
    code: PayloadErrorCode,
    url: string,
    headers: Record<string, string>,
    read: (response: Dispatcher.ResponseData) => Promise<Buffer>,
    requestMs = this.#limits.requestMs,
  ): Promise<Buffer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(url, headers, read, Math.min(requestMs, this.#limits.requestMs));
      } catch (error) {
        this.#signal.throwIfAborted();
        const refused = error instanceof Refused;
        if (refused || attempt === this.#limits.attempts) {
          throw new PayloadError((refused && error.code) || code, messageOf(url, error), error);
        }
      }
      const wait = this.#limits.backoffMs * 2 ** (attempt - 1) * (0.5 + Math.random());
      await this.#sleep(wait);
    }
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#signal }).catch(() => this.#signal.throwIfAborted());
  }

  async #once(
    url: string,
    headers: Record<string, string>,
    read: (response: Dispatcher.ResponseData) => Promise<Buffer>,
    requestMs: number,
  ): Promise<Buffer> {
    const { idleMs } = this.#limits;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error(`no end within ${requestMs} ms`)), requestMs);
    try {
      const response = await request(url, {
        dispatcher: this.#dispatcher,
        headers,
        headersTimeout: idleMs,
        bodyTimeout: idleMs,
        signal: AbortSignal.any([this.#signal, late.signal]),
      });
      response.body.on('error', () => {}); // heard of through the reader, if there is one
      try {
        if (mayPass(response.statusCode)) throw new Error(`it answers ${response.statusCode}`);
        return await read(response);
      } finally {
        response.body.destroy();
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

function mayPass(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

/** Exactly `length` bytes; memory is taken once, whatever the server sends. */
async function collect(body: AsyncIterable<Buffer>, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let done = 0;
  for await (const part of body) {
    if (done + part.length > length) throw new Refused('the server sends more than was asked for');
    done += part.copy(bytes, done);
  }
  if (done < length) throw new Refused(`it ends ${length - done} bytes too early`, 'PayloadTruncated');
  return bytes;
}

function messageOf(url: string, error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  return `fetching ${url} failed: ${message || code || 'no connection'}; check the file and the server`;
}
