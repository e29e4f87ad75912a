import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { KubeClient } from '#runtime/client/client.ts';
import { endpoints, OMAHA, PAYLOADS, type Question } from './endpoints.ts';

interface Endpoint {
  addresses: string[];
  conditions?: { ready?: boolean };
}

/** A replica that answers /readyz with `status`; gives its port. */
async function replica(t: TestContext, status: number, path = '/readyz'): Promise<number> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === path ? status : 418).end(status === 200 ? 'ok' : 'nodes: not synced');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

function look(slices: { port: number; endpoints: Endpoint[] }[], dial = true, question?: Question) {
  const items = slices.map((slice) => ({
    ports: [{ name: question?.port ?? 'http', port: slice.port }],
    endpoints: slice.endpoints,
  }));
  const client = { list: async () => ({ items }) } as unknown as KubeClient;
  return endpoints('careen-update', question)({ client, namespace: 'n', agentNamespace: 'a', dial });
}

const HERE: Endpoint = { addresses: ['127.0.0.1'], conditions: { ready: true } };

test('every ready endpoint is asked itself', async (t) => {
  const port = await replica(t, 200);
  const both = [{ port, endpoints: [HERE, HERE] }];
  assert.deepEqual(await look(both), { well: '2 endpoints of its Service answer /readyz' });
});

test('an endpoint that answers badly, or not at all, is named with what it says', async (t) => {
  const port = await replica(t, 503);
  assert.deepEqual(await look([{ port, endpoints: [HERE] }]), {
    unwell: `http://127.0.0.1:${port}/readyz answers 503: nodes: not synced`,
  });
  const nobody = { addresses: ['127.0.0.2'] }; // where that server does not listen
  const dead = await look([{ port, endpoints: [nobody] }]);
  assert.match(JSON.stringify(dead), /127\.0\.0\.2:\d+\/readyz does not answer: .*ECONNREFUSED/);
});

test('a Service without a ready endpoint is not well, also where nobody is to be asked', async () => {
  const unready = { addresses: ['127.0.0.1'], conditions: { ready: false } };
  for (const slices of [[], [{ port: 1, endpoints: [unready] }]])
    assert.deepEqual(await look(slices, false), { unwell: 'its Service has no ready endpoint' });
  assert.deepEqual(await look([{ port: 1, endpoints: [HERE] }], false), {
    well: 'ready endpoints of its Service: 1',
  });
});

test('what machines ask is well when it is said no to as it should be, and nothing else', async (t) => {
  for (const question of [PAYLOADS, OMAHA]) {
    const { path, status } = question;
    const port = await replica(t, status, path);
    assert.deepEqual(await look([{ port, endpoints: [HERE] }], true, question), {
      well: `1 endpoints of its Service answer ${path}`,
    });
    const away = await replica(t, 503, path); // the bucket or the database does not answer
    assert.match(
      JSON.stringify(await look([{ port: away, endpoints: [HERE] }], true, question)),
      /answers 503/,
    );
  }
});
