import { open, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseRange } from './byte-range.ts';

/**
 * How a server misbehaves for paths that `path` matches (all of them without it). `corrupt`: one bit of each
 * answer is flipped. `truncate`: the connection breaks off half way. `refuse`: 503. `stall`: no byte comes.
 */
export interface PayloadFault {
  kind: 'corrupt' | 'truncate' | 'refuse' | 'stall';
  path?: RegExp | undefined;
}

export interface PayloadServerOptions {
  directory: string;
  /** Of each answer; unlimited unless told. */
  bytesPerSecond?: number | undefined;
}

const SLICE = 64 * 1024;

/** A web server for payloads on loopback: static files with ranges and ETags, and faults on demand. */
export class PayloadServer {
  /** May be set at any time; answers that begin later are affected. */
  fault: PayloadFault | undefined;
  bytesPerSecond: number | undefined;
  /** Requests by path, such as `/2.0.0/manifest.json`. */
  readonly requests = new Map<string, number>();
  /** Bytes of bodies that were sent. */
  sentBytes = 0;
  readonly #directory: string;
  readonly #server: Server;

  constructor(options: PayloadServerOptions) {
    this.#directory = options.directory;
    this.bytesPerSecond = options.bytesPerSecond;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  /** Listens on a free port of loopback. */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
  }

  /** Without a slash at its end. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://host').pathname));
    this.requests.set(path, (this.requests.get(path) ?? 0) + 1);
    const fault = this.fault?.path === undefined || this.fault.path.test(path) ? this.fault?.kind : undefined;
    if (fault === 'stall') return;
    if (fault === 'refuse') return end(response, 503);
    const file = join(this.#directory, path);
    const found = await stat(file).catch(() => undefined);
    if (found === undefined || !found.isFile()) return end(response, 404);
    const etag = `"${found.size.toString(16)}-${found.mtimeMs.toString(16)}"`;
    response.setHeader('etag', etag).setHeader('accept-ranges', 'bytes');
    if (request.headers['if-none-match'] === etag) return end(response, 304);
    await this.#sendFile(request, response, { path: file, size: found.size }, fault);
  }

  async #sendFile(
    request: IncomingMessage,
    response: ServerResponse,
    file: { path: string; size: number },
    fault: PayloadFault['kind'] | undefined,
  ): Promise<void> {
    const range = parseRange(request.headers.range, file.size);
    if (range === 'unsatisfiable') {
      response.setHeader('content-range', `bytes */${file.size}`);
      return end(response, 416);
    }
    const { start, end: last } = range ?? { start: 0, end: file.size - 1 };
    if (range) response.setHeader('content-range', `bytes ${start}-${last}/${file.size}`);
    response.writeHead(range ? 206 : 200, { 'content-length': last - start + 1 });
    if (request.method === 'HEAD') response.end();
    else await this.#sendBytes(response, file.path, start, last + 1, fault);
  }

  async #sendBytes(
    response: ServerResponse,
    path: string,
    start: number,
    end: number,
    fault: PayloadFault['kind'] | undefined,
  ): Promise<void> {
    const file = await open(path, 'r');
    const middle = start + Math.floor((end - start) / 2);
    try {
      for (let at = start; at < end && !response.destroyed; at += SLICE) {
        const slice = Buffer.alloc(Math.min(SLICE, end - at));
        await file.read(slice, 0, slice.length, at);
        if (at <= middle && middle < at + slice.length) {
          if (fault === 'truncate') return void response.destroy();
          if (fault === 'corrupt') slice.writeUInt8(slice.readUInt8(middle - at) ^ 1, middle - at);
        }
        await this.#sendSlice(response, slice);
      }
      response.end();
    } finally {
      await file.close();
    }
  }

  async #sendSlice(response: ServerResponse, slice: Buffer): Promise<void> {
    if (this.bytesPerSecond !== undefined) await sleep((slice.length / this.bytesPerSecond) * 1000);
    await written(response, slice);
    this.sentBytes += slice.length;
  }
}

export async function startPayloadServer(options: PayloadServerOptions): Promise<PayloadServer> {
  const server = new PayloadServer(options);
  await server.start();
  return server;
}

/** Resolves when the bytes are sent, or when they never will be: the callback of a connection that is gone may not come. */
async function written(response: ServerResponse, bytes: Buffer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const over = () => resolve();
  response.once('close', over);
  if (response.destroyed) over();
  response.write(bytes, over);
  await promise;
  response.off('close', over);
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}
