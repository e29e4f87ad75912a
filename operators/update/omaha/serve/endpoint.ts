import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, BlockList } from 'node:net';
import { timingSafeEqual } from 'node:crypto';
import { parseAddress } from '#runtime/health/server.ts';
import type { Log } from '#runtime/log/log.ts';
import type { OmahaRequest } from '../protocol/request.ts';
import { RequestError } from '../protocol/request-error.ts';
import { readRequest } from '../protocol/read-request.ts';
import { writeResponse } from '../protocol/write-response.ts';
import { isStoreError } from '../store/store-error.ts';
import { answerRequest, type Surroundings } from './answer-request.ts';
import { clientAddress } from './client-address.ts';
import type { EndpointMetrics } from './endpoint-metrics.ts';
import { RateLimit, type Rate } from './rate-limit.ts';
import { readBody } from './read-body.ts';
import { Refusal } from './refusal.ts';

export interface EndpointOptions extends Surroundings {
  /** Such as `:8085`. */
  address: string;
  /** Last part of the path, without which the endpoint gives nothing away; undefined: there is none. */
  secret?: string | undefined;
  /** Proxies whose X-Forwarded-For is believed. */
  trustedProxies: BlockList;
  perAddress: Rate;
  perMachine: Rate;
  /** Connections at a time; further ones are closed at once. */
  maxConnections: number;
  log: Pick<Log, 'warn' | 'error'>;
  metrics: EndpointMetrics;
  /** ms since the epoch. */
  now: () => number;
}

const PATH = '/v1/update';

/** A request comes in one packet or two; who takes longer is not waited for. */
const REQUEST_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 15_000;
const MAX_HEADER_BYTES = 16_384;

/** The HTTP endpoint that machines poll. */
export class OmahaEndpoint {
  readonly #options: EndpointOptions;
  readonly #server: Server;
  readonly #perAddress: RateLimit;
  readonly #perMachine: RateLimit;

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#perAddress = new RateLimit(options.perAddress);
    this.#perMachine = new RateLimit(options.perMachine);
    const timeouts = { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS };
    this.#server = createServer(
      { ...timeouts, keepAliveTimeout: IDLE_TIMEOUT_MS, maxHeaderSize: MAX_HEADER_BYTES },
      (request, response) => void this.#handle(request, response),
    );
    this.#server.maxConnections = options.maxConnections;
  }

  /** Resolves with the port; rejects when it is taken. */
  async listen(): Promise<number> {
    const { host, port } = parseAddress(this.#options.address);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(port, host, resolve);
    await promise;
    this.#server.off('error', reject);
    return (this.#server.address() as AddressInfo).port;
  }

  /** Lets requests that are under way come to their end, for at most `graceMs`. */
  async close(graceMs = 2000): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await promise;
    clearTimeout(timer);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { metrics, log, now } = this.#options;
    const started = performance.now();
    try {
      const text = await this.#answer(request, now());
      response
        .writeHead(200, { 'content-type': 'text/xml', 'content-length': Buffer.byteLength(text) })
        .end(text);
      metrics.answered('ok', (performance.now() - started) / 1000);
    } catch (error) {
      const refusal = asRefusal(error);
      if (refusal.code === 'Internal') log.error('cannot answer an Omaha request', { error });
      metrics.answered(refusal.code, (performance.now() - started) / 1000);
      refusal.send(request, response);
    }
  }

  async #answer(request: IncomingMessage, now: number): Promise<string> {
    this.#checkTarget(request);
    const { trustedProxies } = this.#options;
    const forwarded = request.headers['x-forwarded-for'];
    const address = clientAddress(
      request.socket.remoteAddress,
      Array.isArray(forwarded) ? forwarded.join(',') : forwarded,
      trustedProxies,
    );
    this.#take(this.#perAddress, address, now);
    if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') throw new Refusal('Encoded');
    const body = await readBody(request);
    if (body === undefined) throw new Refusal('TooLarge');
    const asked = readRequest(body);
    this.#checkMachines(asked, now);
    return writeResponse(await answerRequest(this.#options, asked, address, now));
  }

  /** Of any content type: machines in the field send what they like. */
  #checkTarget({ url = '/', method }: IncomingMessage): void {
    const { secret } = this.#options;
    const path = url.split('?', 1)[0]?.replace(/\/$/, '') ?? '';
    if (secret === undefined ? path !== PATH : !path.startsWith(PATH)) throw new Refusal('NoSuchPath');
    if (method !== 'POST') throw new Refusal('Method');
    if (secret !== undefined && !isSame(path.slice(PATH.length + 1), secret)) throw new Refusal('Secret');
  }

  #checkMachines({ apps }: OmahaRequest, now: number): void {
    const machines = new Set(apps.map(({ machineID }) => machineID ?? ''));
    for (const machine of machines) this.#take(this.#perMachine, machine, now);
  }

  #take(limit: RateLimit, caller: string, now: number): void {
    const seconds = limit.take(caller, now);
    if (seconds !== undefined) throw new Refusal('TooMany', seconds);
  }
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof RequestError) return new Refusal(error.code);
  if (isStoreError(error, 'TooLarge')) return new Refusal('TooComplex');
  if (isStoreError(error)) return new Refusal('Store', 60);
  return new Refusal(isAborted(error) ? 'Aborted' : 'Internal');
}

/** The client went away in the midst of its request. */
function isAborted(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
}

function isSame(given: string, secret: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(secret)];
  return a.length === b.length && timingSafeEqual(a, b);
}
