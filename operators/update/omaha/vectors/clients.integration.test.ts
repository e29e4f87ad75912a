import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { httpDownload } from '#test/omaha/client/download.ts';
import { HttpTransport } from '#test/omaha/client/transport.ts';
import { ScaledClock } from '#test/omaha/client/clock.ts';
import { readResponse, type Update } from '#test/omaha/wire/read-response.ts';
import { httpUpstream } from '../../channel/upstream/ask-upstream.ts';
import { UpstreamError } from '../../channel/upstream/upstream-error.ts';

/** What clients do with what comes over HTTP. */

const forever = new AbortController().signal;

async function serving<T>(listener: RequestListener, act: (url: string) => Promise<T>): Promise<T> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await act(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** The code that a machine reports, and what the poller says. */
async function asked(status: number, body: string): Promise<[number, string]> {
  return serving(
    (_, response) => void response.writeHead(status).end(body),
    async (url) => {
      const transport = new HttpTransport({ url });
      const upstream = httpUpstream();
      const reply = await transport.post({ body: '<request/>', contentType: 'text/xml' }, forever);
      const told = await upstream.ask(url, '<request/>', forever).then(
        (answer) => `${answer.length} bytes`,
        (error: unknown) => (error instanceof UpstreamError ? error.code : String(error)),
      );
      await Promise.all([transport.close(), upstream.close()]);
      return [readResponse(reply.body).exitCode, told];
    },
  );
}

describe('an answer over HTTP', () => {
  it('V78: of more than 1 MiB is code 34, and an empty one code 30', async () => {
    const long = `<response><app><updatecheck status="noupdate"/></app>${' '.repeat(1024 * 1024)}</response>`;
    assert.deepEqual(await asked(200, long), [34, 'TooLarge']);
    assert.deepEqual(await asked(200, ''), [30, '0 bytes']);
  });

  it('V77: with a status that may pass is no answer for the poller, which asks again later', async () => {
    for (const status of [408, 429, 500, 502, 503, 504]) {
      const [, told] = await asked(status, 'try again');
      assert.equal(told, 'HttpError', String(status));
    }
  });
});

const update = (size: number, sha256: string): Update => ({
  version: '2.0.0',
  urls: [],
  size,
  sha256,
  maxFailureCountPerUrl: 10,
  isDeltaPayload: false,
  disablePayloadBackoff: true,
  packages: [],
});
const fetched = (body: string, wanted: Update) =>
  serving(
    (_, response) => void response.end(body),
    async (url) => (await httpDownload(new ScaledClock(1e6))(url, wanted, forever)).exitCode,
  );

describe('a payload', () => {
  const TESTING = 'EqYfThc/s6EcBdZHH3Ryj3YjG0pfzZZnzvOvh6OuTcI=';
  const EMPTY = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';

  it('V80: is taken with its size and digest, and with no other', async () => {
    assert.equal(await fetched('testing\n', update(8, TESTING)), 0);
    assert.equal(await fetched('testing\n', update(8, EMPTY)), 10);
    assert.equal(await fetched('testing\n', update(7, TESTING)), 11);
  });
});
