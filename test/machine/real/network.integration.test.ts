import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { test, type TestContext } from 'node:test';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { NodeNetwork } from './network.ts';
import { realNodesPossible } from './possible.ts';

const skip = (await realNodesPossible()) ?? false;

test(
  'a server of the host is reached from within, and says all that it has to say',
  { skip },
  async (context) => {
    const bulk = 'x'.repeat(1_000_000);
    const server = await serve(context, (said) => `you said ${said} ${bulk} end`);
    const network = await open(context);
    await network.forward(8000, (server.address() as AddressInfo).port);
    const script = 'exec 3<>/dev/tcp/10.99.0.1/8000; echo hello >&3; cat <&3';
    const answer = await network.run('bash', ['-c', script]);
    assert.equal(answer, `you said hello ${bulk} end`);
  },
);

/** Answers the first line of each connection, in two parts, and closes. */
async function serve(context: TestContext, answer: (said: string) => string): Promise<Server> {
  const server = createServer((socket) => {
    socket.once('data', (data) => {
      socket.write('you ');
      socket.end(answer(String(data).trim()).slice(4));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  return server;
}

async function open(context: TestContext): Promise<NodeNetwork> {
  const { path, cleanup, remove } = await guardedDirectory('careen-network-');
  const network = await NodeNetwork.create({ directory: path, within: cleanup, apiPort: 1 });
  context.after(async () => {
    network.close();
    await remove();
  });
  return network;
}
