import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers a request itself (true), or leaves it to the server (false). */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A real HTTP server on the loopback that serves files from memory, with ranges, and misbehaves as told. */
export class PayloadServer {
  /** By path, such as `/2.0.0/blob`. */
  readonly files = new Map<string, Buffer>();
  /** Paths of requests, with the first byte of the range asked for. */
  readonly requests: { path: string; offset: number }[] = [];
  fault: Fault = () => false;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const offset = Number(from ?? 0);
    this.requests.push({ path, offset });
    if (this.fault(request, response)) return;
    const file = this.files.get(path);
    if (!file) return void response.writeHead(404).end('no such file');
    if (from === undefined) return void response.writeHead(200, { 'content-length': file.length }).end(file);
    if (offset >= file.length) return void response.writeHead(416).end();
    const part = file.subarray(offset, Number(to) + 1);
    const range = `bytes ${offset}-${offset + part.length - 1}/${file.length}`;
    response.writeHead(206, { 'content-length': part.length, 'content-range': range }).end(part);
  }
}
