import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** What happens to a request instead of its answer. */
export type Fault =
  | { status: number; code: string } // the server says so
  | 'lost' // it is done, and the answer does not come
  | 'cut'; // the answer breaks off in the middle

/** For each request a connection of its own: one that the server has just closed would break a request that nobody broke. */
const ONCE = new Agent({ keepAlive: false });

/** Stands between a client and an S3 server. */
export class FaultProxy {
  /** `PUT /bucket/key?query` of all requests. */
  readonly requests: string[] = [];
  /** Decides for each request; nothing: it goes through. */
  fault: (line: string) => Fault | undefined = () => undefined;
  readonly #server = createServer((request, response) => this.#pass(request, response));
  readonly #port: number;

  private constructor(port: number) {
    this.#port = port;
  }

  /** In front of the server on this port. */
  static async start(port: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(port);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  count(pattern: RegExp): number {
    return this.requests.filter((line) => pattern.test(line)).length;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers } = request;
    this.requests.push(`${method} ${url}`);
    const fault = this.fault(`${method} ${url}`);
    if (typeof fault === 'object') {
      request.resume();
      const body = `<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>said so</Message></Error>`;
      request.on('end', () =>
        response.writeHead(fault.status, { 'content-type': 'application/xml' }).end(body),
      );
      return;
    }
    const target = { host: '127.0.0.1', port: this.#port, method, path: url, headers, agent: ONCE };
    const forward = httpRequest(target, (answer) => {
      if (fault === 'lost') {
        answer.resume().on('end', () => response.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      if (fault === 'cut')
        answer.once('data', (part: Buffer) => response.write(part, () => response.destroy()));
      else answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    forward.on('error', () => response.destroy());
    response.on('close', () => forward.destroy());
    request.pipe(forward);
  }
}
