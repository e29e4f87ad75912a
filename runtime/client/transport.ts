import type { Dispatcher } from 'undici';
import type { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { Connection } from './connection.ts';
import { Deadline } from './deadline.ts';
import { errorOfStatus, isKubeError, KubeError, type KubeStatus } from './error.ts';
import { retryDelayMs } from './retry.ts';
import { TokenBucket } from './token-bucket.ts';

export type Query = Record<string, string | number | boolean | undefined>;

export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** For the whole call with its retries; 30 s by default. */
  timeoutMs?: number | undefined;
  /** A bearer token to ask with, in place of the client's own. */
  token?: string | undefined;
}

export interface Ask extends CallOptions {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Query | undefined;
  body?: unknown;
  contentType?: string | undefined;
  accept?: string | undefined;
}

/** What the metrics learn of every attempt; `status` is 0 when no answer came. */
export type OnRequest = (request: { method: string; status: number; seconds: number }) => void;

/** Called right before a write is sent; throws when this process may not write (any more). */
export type Fence = () => void;

const DEFAULT_TIMEOUT_MS = 30_000;

/** Sends requests: paced, within a time limit, with the credentials of the moment, retried only where that is safe. */
export class Transport {
  readonly connection: Connection;
  readonly #userAgent: string;
  readonly #bucket: TokenBucket;
  onRequest: OnRequest = () => undefined;
  fence: Fence = () => undefined;

  constructor(connection: Connection, userAgent: string, bucket: TokenBucket) {
    this.connection = connection;
    this.#userAgent = userAgent;
    this.#bucket = bucket;
  }

  /** The parsed JSON answer. Throws a KubeError, or the caller's own abort reason. */
  async ask<T>(ask: Ask): Promise<T> {
    const name = `${ask.method} ${ask.path}`;
    const deadline = new Deadline(name, ask.timeoutMs ?? DEFAULT_TIMEOUT_MS, ask.signal);
    try {
      for (let attempts = 1, reloaded = false; ; attempts += 1) {
        try {
          return (await this.#attempt(ask, deadline)) as T;
        } catch (error) {
          if (isKubeError(error, 'Unauthorized') && !reloaded) {
            reloaded = true;
            this.connection.reload();
            continue;
          }
          const delay = retryDelayMs({ ...ask, attempts, error, random: Math.random() });
          if (delay === undefined || delay >= deadline.leftMs()) throw error;
          await deadline.sleep(delay);
        }
      }
    } catch (error) {
      // A server that does not answer may sit behind a dead connection that would swallow the next request too.
      if (isKubeError(error, 'Timeout') && error.status === 0) this.connection.renew();
      throw error;
    } finally {
      deadline.end();
    }
  }

  /** Opens an answer that is read as it comes (a watch); the caller's signal ends it. One reload after a 401. */
  async open(ask: Ask, signal: AbortSignal): Promise<Readable> {
    let response = await this.#send(ask, signal);
    if (response.statusCode === 401) {
      await response.body.dump();
      this.connection.reload();
      response = await this.#send(ask, signal);
    }
    if (response.statusCode === 200) return response.body;
    throw await failure(ask, response);
  }

  async #attempt(ask: Ask, deadline: Deadline): Promise<unknown> {
    const wait = this.#bucket.take();
    if (wait > 0) await deadline.sleep(wait);
    const response = await this.#send(ask, deadline.signal);
    if (response.statusCode >= 400) throw await failure(ask, response);
    return parse(ask, await bodyOf(ask, response, deadline.signal));
  }

  async #send(ask: Ask, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const started = performance.now();
    const route = await this.connection.route();
    const body = ask.body === undefined ? null : JSON.stringify(ask.body);
    signal.throwIfAborted();
    if (ask.method !== 'GET') this.fence();
    let status = 0;
    try {
      const response = await route.pool.ask({
        origin: new URL(route.server).origin,
        path: pathOf(route.server, ask),
        method: ask.method,
        headers: this.#headers(ask, route.headers, body),
        body,
        signal,
      });
      status = response.statusCode;
      return response;
    } catch (error) {
      throw unreachable(ask, signal, error);
    } finally {
      this.onRequest({ method: ask.method, status, seconds: (performance.now() - started) / 1000 });
    }
  }

  #headers(ask: Ask, credentials: Record<string, string>, body: string | null): Record<string, string> {
    return {
      ...credentials,
      ...(ask.token === undefined ? {} : { authorization: `Bearer ${ask.token}` }),
      'user-agent': this.#userAgent,
      accept: ask.accept ?? 'application/json',
      ...(ask.query?.['watch'] ? {} : { 'accept-encoding': 'gzip' }),
      // The API server ignores the body of a DELETE that does not say how long it is.
      ...(body === null
        ? {}
        : {
            'content-type': ask.contentType ?? 'application/json',
            'content-length': String(Buffer.byteLength(body)),
          }),
    };
  }
}

function pathOf(server: string, { path, query = {} }: Ask): string {
  const url = new URL(server + path);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.pathname + url.search;
}

function unreachable(ask: Ask, signal: AbortSignal, error: unknown): unknown {
  if (signal.aborted) return signal.reason;
  const code = (error as { code?: string }).code ?? 'connection failed';
  const message = `${ask.method} ${ask.path}: the API server cannot be reached (${code})`;
  return new KubeError(message, { code: 'Unreachable', cause: error });
}

async function bodyOf(ask: Ask, response: Dispatcher.ResponseData, signal: AbortSignal): Promise<string> {
  try {
    const bytes = Buffer.from(await response.body.arrayBuffer());
    return (response.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (error) {
    throw unreachable(ask, signal, error);
  }
}

function parse(ask: Ask, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = `${ask.method} ${ask.path}: the answer is not JSON`;
    throw new KubeError(message, { code: 'Internal', cause: error });
  }
}

async function failure(ask: Ask, response: Dispatcher.ResponseData): Promise<KubeError> {
  const bytes = Buffer.from(await response.body.arrayBuffer().catch(() => new ArrayBuffer(0)));
  const seconds = Number(response.headers['retry-after']);
  const retryAfterMs = Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
  return errorOfStatus(`${ask.method} ${ask.path}`, response.statusCode, statusOf(bytes), retryAfterMs);
}

/** The server's Status, or nothing when something else answered in its place. */
function statusOf(bytes: Buffer): KubeStatus | undefined {
  try {
    const value = JSON.parse(bytes.toString('utf8')) as KubeStatus | null;
    return value?.kind === 'Status' ? value : undefined;
  } catch {
    return undefined;
  }
}
