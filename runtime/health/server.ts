import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HealthServerOptions } from './health.ts';

export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

/** `:8080` and `127.0.0.1:0` as a host (undefined: all) and a port. Throws a RangeError on anything else. */
export function parseAddress(address: string): { host: string | undefined; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (!match || port > 65_535)
    throw new RangeError(`"${address}" is not an address; write :8080 or 127.0.0.1:8080`);
  return { host: match[1] || match[2] || undefined, port };
}

/** Serves /healthz, /readyz and, with a registry, /metrics over plain HTTP. Rejects when the port is taken. */
export async function serveHealth(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      options.log.warn('cannot answer a health request', { error });
      response.destroy();
    });
  });
  const { host, port } = parseAddress(options.address);
  await listen(server, port, host);
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

async function answer(
  { health, registry }: HealthServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?')[0];
  if (path === '/healthz' || path === '/livez') return report(response, health.failures('live'));
  if (path === '/readyz') return report(response, health.failures('ready'));
  if (path === '/metrics' && registry) {
    const text = await registry.metrics();
    response.writeHead(200, { 'content-type': registry.contentType }).end(text);
    return;
  }
  response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
}

function report(response: ServerResponse, failures: string[]): void {
  response.writeHead(failures.length === 0 ? 200 : 503, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(failures.length === 0 ? 'ok\n' : `${failures.join('\n')}\n`);
}

function listen(server: Server, port: number, host: string | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, () => {
    server.off('error', reject);
    resolve();
  });
  return promise;
}

function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  return promise;
}
