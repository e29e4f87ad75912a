import { Agent, request } from 'undici';
import type { WireRequest } from '../wire/request.ts';

/** An answer over HTTP. A status of 0 means that none came. */
export interface Reply {
  status: number;
  body: string;
}

/** How requests reach the server. */
export interface Transport {
  post(request: WireRequest, signal: AbortSignal): Promise<Reply>;
}

export interface HttpTransportOptions {
  url: string;
  /** At once, over all machines; as many as it takes unless told. */
  connections?: number | undefined;
}

/** More than any answer has; go-omaha's limit. */
const MAX_ANSWER_BYTES = 1024 * 1024;
const ANSWER_MS = 60_000;
/** An idle connection is let go long before any server closes it: a check on one that is just being closed gets no answer. */
const IDLE_MS = 4000;

/** Posts over connections that are kept; one for a whole fleet. */
export class HttpTransport implements Transport {
  readonly #url: string;
  readonly #agent: Agent;

  constructor({ url, connections }: HttpTransportOptions) {
    this.#url = url;
    this.#agent = new Agent({
      connections: connections ?? null,
      allowH2: false,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
    });
  }

  /** The same connections, with `address` in X-Forwarded-For as a proxy before the machines would set it. */
  from(address: string): Transport {
    return { post: (request, signal) => this.#post(request, signal, { 'x-forwarded-for': address }) };
  }

  post(request: WireRequest, signal: AbortSignal): Promise<Reply> {
    return this.#post(request, signal, {});
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #post(
    { body, contentType }: WireRequest,
    signal: AbortSignal,
    extra: Record<string, string>,
  ): Promise<Reply> {
    const headers = contentType === undefined ? extra : { ...extra, 'content-type': contentType };
    try {
      const response = await request(this.#url, {
        dispatcher: this.#agent,
        method: 'POST',
        headers,
        body,
        signal,
        headersTimeout: ANSWER_MS,
        bodyTimeout: ANSWER_MS,
      });
      return { status: response.statusCode, body: await bounded(response.body) };
    } catch {
      signal.throwIfAborted();
      return { status: 0, body: '' };
    }
  }
}

async function bounded(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) return '<too-long/>'; // a document, and none that a client understands
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
