import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { Authority } from '#test/cluster/pki.ts';
import { until } from '#test/cluster/until.ts';
import { newDispatcher } from './http.ts';
import { Pool } from './pool.ts';

let caPem: string;
let server: Http2SecureServer;
let cable: Server;
let streams: ServerHttp2Stream[];
let sockets: Set<Socket>;
let pool: Pool;

/** Whether the server answers at once by itself. */
let prompt: boolean;
/** Bytes on their way to the client lie here until the cable is whole again. */
let held: (() => void)[] | undefined;

before(async () => {
  const authority = await Authority.create('test');
  caPem = authority.certPem;
  server = createSecureServer(await authority.issueServer({ dns: ['localhost'], ip: ['127.0.0.1'] }));
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined).resume();
    if (prompt) stream.on('end', () => answer(stream, 'at once'));
    else streams.push(stream);
  });
  server.on('sessionError', () => undefined);
  cable = createServer((socket) => join(socket, connect(port(server), '127.0.0.1')));
  await Promise.all([server, cable].map((one) => once(one.listen(0, '127.0.0.1'), 'listening')));
});
beforeEach(() => {
  streams = [];
  sockets = new Set();
  held = undefined;
  prompt = false;
  pool = new Pool(newDispatcher({ ca: caPem }));
});
afterEach(async () => {
  await pool.close(0);
  for (const socket of sockets) socket.destroy();
});
after(() => {
  cable.close();
  server.close();
});

function port(of: Server | Http2SecureServer): number {
  return (of.address() as AddressInfo).port;
}

function join(client: Socket, upstream: Socket): void {
  sockets.add(client);
  client.on('data', (data) => upstream.write(data));
  upstream.on('data', (data) =>
    held === undefined ? client.write(data) : held.push(() => client.write(data)),
  );
  client
    .on('error', () => undefined)
    .on('close', () => {
      sockets.delete(client);
      upstream.destroy();
    });
  upstream.on('error', () => undefined).on('close', () => client.destroy());
}

function release(): void {
  for (const send of held ?? []) send();
  held = undefined;
}

/** The answer, read to its end. */
async function ask(signal: AbortSignal, body: string | null = null): Promise<string> {
  const method = body === null ? 'GET' : 'PATCH';
  const origin = `https://127.0.0.1:${port(cable)}`;
  const answer = await pool.ask({ origin, path: '/', method, body, signal });
  return answer.body.text();
}

function answer(stream: ServerHttp2Stream, text: string): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond({ ':status': 200 });
  stream.end(text);
}

async function asked(count: number): Promise<void> {
  await until(`${count} requests have come`, () => streams.length >= count);
}

/** One request there and back: the connection stands. */
async function warmUp(): Promise<void> {
  const warm = ask(new AbortController().signal);
  await asked(1);
  answer(streams[0]!, 'warm');
  assert.equal(await warm, 'warm');
  streams = [];
}

test('requests that are given up at any moment, their answers on their way, harm nobody', async () => {
  prompt = true;
  for (let round = 0; round < 60; round += 1) {
    const caller = new AbortController();
    const reason = new Error('given up');
    const again = async (body: string | null): Promise<void> => {
      for (;;) await ask(caller.signal, body);
    };
    const loops = [null, null, '{}', '{}'].map(again);
    setTimeout(() => caller.abort(reason), round % 30);
    const rejected = { status: 'rejected', reason };
    assert.deepEqual(await Promise.allSettled(loops), [rejected, rejected, rejected, rejected]);
    if (round % 2 === 0) assert.equal(await ask(new AbortController().signal), 'at once');
    await pool.close(0);
    pool = new Pool(newDispatcher({ ca: caPem }));
  }
  await until('every connection has ended', () => sockets.size === 0);
});

test('what is given up while it waits for a connection ends at once and is never sent', async () => {
  held = [];
  const caller = new AbortController();
  const given = ask(caller.signal, '{}');
  await until('the handshake hangs', () => (held?.length ?? 0) > 0);
  caller.abort(new Error('too slow'));
  await assert.rejects(given, /too slow/);
  const other = ask(new AbortController().signal);
  release();
  await asked(1);
  answer(streams[0]!, 'ok');
  assert.equal(await other, 'ok');
  assert.equal(streams.length, 1);
});

test('a retired pool lets everybody have his answer, and ends with the last one who waits', async () => {
  await warmUp();
  const caller = new AbortController();
  const [hung, slow] = [ask(caller.signal), ask(new AbortController().signal)];
  await asked(2);
  pool.retire();
  caller.abort(new Error('hangs'));
  await assert.rejects(hung, /hangs/);
  answer(streams[1]!, 'slow');
  assert.equal(await slow, 'slow');
  await until('the connection has ended', () => sockets.size === 0);
});

test('to close ends what hangs after the time of grace', async () => {
  const hung = ask(new AbortController().signal);
  hung.catch(() => undefined);
  await asked(1);
  await pool.close(10);
  await assert.rejects(hung, { code: 'UND_ERR_DESTROYED' });
  await assert.rejects(ask(new AbortController().signal), { code: 'UND_ERR_DESTROYED' });
});
