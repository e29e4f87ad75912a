import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { readXml, XmlError, type Element } from '../wire/read-xml.ts';
import { upstreamAnswer, type UpstreamPolicy } from './upstream-answer.ts';

/** One POST as it came. */
export interface SeenRequest {
  headers: IncomingMessage['headers'];
  body: string;
  /** Nothing where the body is not XML. */
  root: Element | undefined;
  /** ms since the epoch. */
  at: number;
}

/** Answers a whole request instead of the server. */
export type UpstreamFault = { status: number; body: string } | 'hang' | 'break';

/** Like a public Omaha server (Nebraska), on loopback, with faults on demand. It keeps all requests. */
export class UpstreamServer {
  /** May be changed at any time. */
  policy: UpstreamPolicy;
  fault: UpstreamFault | undefined;
  readonly requests: SeenRequest[] = [];
  readonly #server: Server;

  constructor(policy: UpstreamPolicy) {
    this.policy = policy;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  /** Listens on a free port of loopback. */
  async start(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/update/`;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!/^\/v1\/update\/?$/.test(request.url ?? '')) return end(response, 404, '');
    if (request.method !== 'POST') return end(response, 405, '');
    const body = (await buffer(request)).toString('utf8');
    const root = wellFormed(body);
    this.requests.push({ headers: request.headers, body, root, at: Date.now() });
    if (this.fault === 'hang') return;
    if (this.fault === 'break') return void response.destroy();
    if (this.fault !== undefined) return end(response, this.fault.status, this.fault.body);
    const isRequest = root?.name === 'request';
    end(
      response,
      200,
      isRequest ? upstreamAnswer(root, this.policy) : '<?xml version="1.0" encoding="UTF-8"?>\n',
    );
  }
}

function wellFormed(body: string): Element | undefined {
  try {
    return readXml(body);
  } catch (error) {
    if (error instanceof XmlError) return undefined;
    throw error;
  }
}

function end(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/xml; charset=utf-8' }).end(body);
}
