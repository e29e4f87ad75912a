import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { parseAddress } from '#runtime/health/server.ts';
import type { Log } from '#runtime/log/log.ts';
import type { PayloadStore } from '../store/payload-store.ts';
import type { TreeFile } from '../store/tree.ts';
import { byteRange } from './byte-range.ts';

/** What the server tells of each answer. */
export interface ServedBytes {
  status: number;
  bytes: number;
}

export interface PayloadServerOptions {
  /** `:8080`. */
  address: string;
  store: Pick<PayloadStore, 'tree' | 'read'>;
  log: Pick<Log, 'warn'>;
  served?: ((answer: ServedBytes) => void) | undefined;
}

/** A client that takes nothing for so long is let go. */
const IDLE_MS = 120_000;
const MAX_CONNECTIONS = 1024;
const RETRY_AFTER_S = 5;
const PATH = /^\/payloads\/([0-9a-f]{64})\/([A-Za-z0-9._+/-]{1,256})$/;

/**
 * Serves verified payloads over plain HTTP, to anybody: GET and HEAD of `/payloads/<digest>/<file>`, with ranges. Their
 * content never changes, so the ETag is the SHA-256. Files are streamed as clients take them.
 */
export class PayloadServer {
  readonly #options: PayloadServerOptions;
  readonly #server: Server;

  constructor(options: PayloadServerOptions) {
    this.#options = options;
    this.#server = createServer({ headersTimeout: 10_000, requestTimeout: 10_000 }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        if (!isGone(error)) options.log.warn('cannot serve a payload', { error, url: request.url });
        // What is not begun can be said no to: the machine comes back, perhaps to another replica.
        if (response.headersSent) response.destroy();
        else this.#end(response.setHeader('retry-after', RETRY_AFTER_S), 503);
      });
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.setTimeout(IDLE_MS);
  }

  async listen(): Promise<this> {
    const { host, port } = parseAddress(this.#options.address);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return this.#end(response.setHeader('allow', 'GET, HEAD'), 405);
    }
    const [, digest = '', name = ''] = PATH.exec(request.url?.split('?')[0] ?? '') ?? [];
    const tree = digest === '' ? undefined : await this.#options.store.tree(digest);
    const file = tree?.files.find((one) => one.name === name);
    if (file === undefined) return this.#end(response, 404);
    await this.#send(request, response, file);
  }

  async #send(request: IncomingMessage, response: ServerResponse, file: TreeFile): Promise<void> {
    const etag = `"${file.sha256}"`;
    response.setHeader('etag', etag).setHeader('accept-ranges', 'bytes');
    response.setHeader('cache-control', 'public, max-age=31536000, immutable');
    if (names(request.headers['if-none-match'], etag)) return this.#end(response, 304);
    const condition = request.headers['if-range'];
    const isSame = condition === undefined || condition === etag;
    const range = isSame ? byteRange(request.headers.range, file.size) : undefined;
    if (range === 'unsatisfiable') {
      return this.#end(response.setHeader('content-range', `bytes */${file.size}`), 416);
    }
    const { start, end } = range ?? { start: 0, end: file.size };
    if (range) response.setHeader('content-range', `bytes ${start}-${end - 1}/${file.size}`);
    const isWanted = request.method === 'GET' && end > start;
    // Opened before the head is sent: a file that cannot be read is an error, not an answer that breaks off.
    const body = isWanted ? await this.#options.store.read(file.sha256, start, end) : undefined;
    const type = file.name.endsWith('.json') ? 'application/json' : 'application/octet-stream';
    response.writeHead(range ? 206 : 200, { 'content-type': type, 'content-length': end - start });
    if (body === undefined) return this.#end(response);
    let bytes = 0;
    body.on('data', (part: Buffer) => (bytes += part.length));
    try {
      await pipeline(body, response);
    } finally {
      this.#options.served?.({ status: response.statusCode, bytes });
    }
  }

  #end(response: ServerResponse, status?: number): void {
    if (status !== undefined) response.writeHead(status);
    response.end();
    this.#options.served?.({ status: response.statusCode, bytes: 0 });
  }
}

function names(header: string | undefined, etag: string): boolean {
  const tags = header?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return tags.includes(etag) || tags.includes('*');
}

/** The client went away. */
function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET' || code === 'EPIPE';
}
