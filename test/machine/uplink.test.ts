import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { Uplink } from './uplink.ts';

let echo: Server;
let uplink: Uplink;

before(async () => {
  echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  uplink = await Uplink.open(`https://127.0.0.1:${(echo.address() as AddressInfo).port}`);
});
after(async () => {
  await uplink.close();
  echo.close();
});

test('what is sent through the cable arrives', async () => {
  const socket = dial();
  socket.write('hello');
  assert.equal(await heard(socket), 'hello');
  socket.destroy();
});

test('an open connection stands still while the cable is unplugged, and then goes on', async () => {
  const socket = dial();
  socket.write('a');
  await heard(socket);
  uplink.unplug();
  socket.write('b');
  assert.equal(await Promise.race([heard(socket), nothingFor(100)]), 'nothing');
  uplink.plug();
  assert.equal(await heard(socket), 'b');
  socket.destroy();
});

test('a connection that is tried while the cable is unplugged is made when it is plugged in', async () => {
  uplink.unplug();
  const socket = dial();
  socket.write('c');
  assert.equal(await Promise.race([heard(socket), nothingFor(100)]), 'nothing');
  uplink.plug();
  assert.equal(await heard(socket), 'c');
  socket.destroy();
});

function dial(): Socket {
  return connect(Number(new URL(uplink.url).port), '127.0.0.1');
}

async function heard(socket: Socket): Promise<string> {
  const [data] = (await once(socket, 'data')) as [Buffer];
  return data.toString();
}

function nothingFor(ms: number): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve('nothing'), ms));
}
