import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Agent, request as send } from 'node:https';
import { pipeline } from 'node:stream';
import { FaultyEvents } from './events.ts';
import type { Fault } from './fault.ts';

/** Who answers in the end. */
export interface Upstream {
  url: string;
  agent: Agent;
  /** The agent's certificate says who asks; the client's token means nothing to the API server. */
  certified: boolean;
}

/** Breaks the client's connection. */
export function drop(response: ServerResponse): void {
  response.socket?.destroy();
  response.destroy();
}

/** Answers with a `Status` as the API server words it. */
export function refuse(
  response: ServerResponse,
  { status, reason = '', retryAfterSeconds }: { status: number; reason?: string; retryAfterSeconds?: number },
): void {
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: 'injected',
    reason,
    code: status,
  };
  const retry = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  response.writeHead(status, { 'content-type': 'application/json', ...retry }).end(JSON.stringify(body));
}

/** Passes a request on and its answer back, with what the fault does to the answer. */
export function forward(
  request: IncomingMessage,
  response: ServerResponse,
  { url, agent, certified }: Upstream,
  fault: Fault | undefined,
): void {
  const { authorization, host: _host, connection: _connection, ...headers } = request.headers;
  const upstream = send(`${url}${request.url ?? '/'}`, {
    agent,
    method: request.method,
    headers: certified || authorization === undefined ? headers : { ...headers, authorization },
  });
  upstream.on('error', () => drop(response));
  upstream.on('response', (answer) => giveBack(answer, response, fault));
  // A client that hangs up ends its watch on the API server, but not a write that is under way.
  response.on('close', () => {
    if (request.method === 'GET') upstream.destroy();
  });
  pipeline(request, upstream, (error) => {
    if (error) upstream.destroy();
  });
}

function giveBack(answer: IncomingMessage, response: ServerResponse, fault: Fault | undefined): void {
  if (response.destroyed) {
    answer.destroy();
    return;
  }
  if (fault?.kind === 'drop-after') {
    answer.resume().on('end', () => drop(response));
    return;
  }
  const { connection: _connection, 'transfer-encoding': _encoding, ...headers } = answer.headers;
  response.writeHead(answer.statusCode ?? 502, headers);
  // The head of a watch must not wait for its first event.
  response.flushHeaders();
  const ended = (): void => {
    answer.destroy();
    if (!response.writableFinished) drop(response);
  };
  if (fault === undefined) pipeline(answer, response, ended);
  else pipeline(answer, new FaultyEvents(fault), response, ended);
}
