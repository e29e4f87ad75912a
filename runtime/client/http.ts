import type { Dispatcher } from 'undici';
import Agent from 'undici/lib/dispatcher/agent.js';
import type { TlsIdentity } from './credentials.ts';

// Undici's index loads fetch, WebSocket, caches and more: 6 MB of memory that the agent does not have.

/** Connections for one TLS identity: HTTP/2 where the server offers it, else HTTP/1.1. */
export function newDispatcher(tls: TlsIdentity): Dispatcher {
  return new Agent({
    connect: { ...tls, timeout: 10_000, keepAlive: true, keepAliveInitialDelay: 30_000 },
    allowH2: true,
    // Over HTTP/2 one connection does; over HTTP/1.1 each request under way, so each watch, takes one.
    connections: 64,
    h2Options: { pingInterval: 15_000 },
    // Every request and every watch has its own time limit; undici's are only in the way of long watches.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}
