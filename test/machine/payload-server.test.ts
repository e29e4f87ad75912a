import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { startPayloadServer, type PayloadServer } from './payload-server.ts';

const directory = mkdtempSync(join(tmpdir(), 'payloads-'));
const content = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 251));
let server: PayloadServer;

before(async () => {
  writeFileSync(join(directory, 'blob'), content);
  server = await startPayloadServer({ directory });
});
afterEach(() => {
  server.fault = undefined;
});
after(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

test('a whole file, and how often it was asked for', async () => {
  assert.deepEqual(await body('/blob'), content);
  assert.equal(server.requests.get('/blob'), 1);
});

test('a range of a file', async () => {
  const response = await fetch(`${server.url}/blob`, { headers: { range: 'bytes=100-299' } });
  assert.equal(response.status, 206);
  assert.equal(response.headers.get('content-range'), 'bytes 100-299/200000');
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), content.subarray(100, 300));
});

test('a range behind the end is refused', async () => {
  const response = await fetch(`${server.url}/blob`, { headers: { range: 'bytes=200000-' } });
  assert.equal(response.status, 416);
});

test('who has the file already is told so', async () => {
  const etag = (await fetch(`${server.url}/blob`)).headers.get('etag') ?? '';
  const again = await fetch(`${server.url}/blob`, { headers: { 'if-none-match': etag } });
  assert.equal(again.status, 304);
});

test('no path leads out of the directory', async () => {
  assert.equal((await fetch(`${server.url}/%2e%2e/%2e%2e/etc/passwd`)).status, 404);
  assert.equal((await fetch(`${server.url}/..%2f..%2fetc%2fpasswd`)).status, 404);
});

test('a corrupt answer differs in one bit', async () => {
  server.fault = { kind: 'corrupt' };
  const received = await body('/blob');
  const differing = [...received.entries()].filter(([index, byte]) => byte !== content[index]);
  assert.equal(received.length, content.length);
  assert.deepEqual(
    differing.map(([index, byte]) => [index, byte ^ content[index]!]),
    [[100_000, 1]],
  );
});

test('a truncated answer breaks off', async () => {
  server.fault = { kind: 'truncate', path: /blob/u };
  await assert.rejects(body('/blob'));
});

test('a limited server takes its time', async () => {
  server.bytesPerSecond = 1_000_000;
  const began = performance.now();
  await body('/blob');
  server.bytesPerSecond = undefined;
  assert.ok(performance.now() - began >= 190);
});

async function body(path: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(`${server.url}${path}`)).arrayBuffer());
}
