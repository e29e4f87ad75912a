/*
 * The program that holds a fleet's network namespace: `network-holder.ts UPSTREAM CONTROL [EGRESS]`, three paths
 * of unix sockets, which reach across network namespaces. Every TCP connection that arrives on a port inside is
 * carried to UPSTREAM, where the test program listens; its first line says the port. On CONTROL a line
 * `ADDRESS PORT` opens one more port; `ok` is the answer. EGRESS is the way back: an HTTP CONNECT proxy, through
 * which the API server reaches kubelets (its egress selector, KEP-1281).
 */
import { rmSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { joinSockets } from './join-sockets.ts';

const [upstream = '', control = '', egress] = process.argv.slice(2);

function carryOut(client: Socket, port: number): void {
  const out = connect({ path: upstream, allowHalfOpen: true });
  out.write(`${port}\n`);
  client.setNoDelay(true);
  joinSockets(client, out);
}

function listen(address: string, port: number): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (client) => carryOut(client, port));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
}

async function obey(line: string): Promise<string> {
  const [address = '', port = ''] = line.split(' ');
  return listen(address, Number(port)).then(
    () => 'ok',
    (error: unknown) => String(error),
  );
}

function carryIn({ url = '' }: IncomingMessage, client: Duplex, head: Buffer): void {
  const { hostname, port } = new URL(`tcp://${url}`);
  const node = connect({ host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true });
  node.once('connect', () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    node.write(head);
    joinSockets(client as Socket, node);
  });
  node.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
}

createServer((socket) => {
  createInterface(socket).on('line', (line) => void obey(line).then((answer) => socket.end(`${answer}\n`)));
}).listen(control);
if (egress !== undefined) {
  rmSync(egress, { force: true }); // an earlier fleet of this cluster may have left it
  createHttpServer().on('connect', carryIn).listen(egress);
}
