import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { Fetcher } from './fetcher.ts';
import { PayloadError } from './payload-error.ts';

let answer: (url: string) => { status?: number; headers?: Record<string, string>; everyMs: number };
const server = createServer((request, response) => {
  const { status = 206, headers = {}, everyMs } = answer(request.url ?? '');
  response.writeHead(status, { 'content-range': 'bytes 0-99/100', ...headers });
  const timer = setInterval(() => response.write('x'), everyMs);
  response.on('close', () => clearInterval(timer));
});
let url: string;
let fetcher: Fetcher;

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/blob`;
});
afterEach(() => fetcher.close());
after(() => server.close());

const refused = (code: string, pattern: RegExp) => (error: unknown) =>
  error instanceof PayloadError && error.code === code && pattern.test(error.message);

test('a server that sends a drop now and then, and never stops, is given up', async () => {
  answer = () => ({ everyMs: 200 });
  fetcher = new Fetcher(undefined, { idleMs: 6000, attempts: 1 });
  await assert.rejects(fetcher.range(url, 0, 100), refused('PayloadUnreachable', /no end within 6003/));
});

test('a body without an end is not read to its end, whatever was asked for', async () => {
  answer = (path) => ({ status: path.endsWith('manifest.json') ? 200 : 206, everyMs: 1 });
  fetcher = new Fetcher();
  await assert.rejects(fetcher.file(`${url}/manifest.json`, 20), refused('ManifestInvalid', /more than 20/));
  await assert.rejects(fetcher.range(url, 0, 20), refused('PayloadUnreachable', /more than was asked for/));
});

test('a server that redirects in a circle is given up', async () => {
  answer = () => ({ status: 302, headers: { location: '/blob' }, everyMs: 1000 });
  fetcher = new Fetcher(undefined, { attempts: 1 });
  await assert.rejects(fetcher.range(url, 0, 100), refused('PayloadUnreachable', /redirect/i));
});
