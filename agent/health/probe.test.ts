import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { HealthCheck } from '#api/health.ts';
import { healthGate } from '#api/health.ts';
import { runCommand } from '../boot/command.ts';
import { evaluateGate } from './gate.ts';
import type { CheckResult } from './gate.ts';
import { probeAll } from './probe.ts';
import type { ProbeTargets } from './probe.ts';

let status = 200;
const server = createServer((_request, response) => {
  if (status !== 0) response.writeHead(status).end();
});
const never = new AbortController().signal;

before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
after(() => {
  server.close();
  server.closeAllConnections();
});

const targets = (ready: string, bootID = 'now'): ProbeTargets => ({
  node: async () => ({
    metadata: { name: 'n' },
    status: { nodeInfo: { bootID }, conditions: [{ type: 'Ready', status: ready as 'True' }] },
  }),
  run: runCommand,
  bootID: 'now',
});

async function one(
  check: Omit<HealthCheck, 'name' | 'timeout'>,
  at: ProbeTargets = targets('True'),
  limitMs = 60_000,
) {
  const [result] = await probeAll([{ name: 'it', timeout: '1m', ...check }], at, limitMs, never);
  return result;
}

const command = (...argv: string[]) => ({ command: { argv } });
const result = (name: string, passed: boolean) => ({ name, passed, message: 'no' });

test('a Node passes when it is Ready in this boot', async () => {
  assert.equal((await one({ nodeReady: {} }))?.passed, true);
  assert.equal((await one({ nodeReady: {} }, targets('False')))?.passed, false);
  assert.equal((await one({ nodeReady: {} }, targets('True', 'before')))?.passed, false);
});

test('an API server that does not answer is not a pass', async () => {
  const away = { ...targets('True'), node: () => Promise.reject(new Error('connection refused')) };
  assert.deepEqual(await one({ nodeReady: {} }, away), {
    name: 'it',
    passed: false,
    message: 'connection refused',
  });
});

test('HTTP passes with 200 to 399, and in time', async () => {
  const { port } = server.address() as AddressInfo;
  const http = { port, path: '/', scheme: 'http' as const };
  for (const [answer, passed] of [
    [200, true],
    [302, true],
    [404, false],
    [500, false],
  ] as const) {
    status = answer;
    assert.equal((await one({ http }))?.passed, passed, String(answer));
  }
  status = 0;
  assert.equal((await one({ http }, targets('True'), 50))?.passed, false);
});

test('a command passes when it ends with 0, and is killed when it takes too long', async () => {
  assert.equal((await one(command('true')))?.passed, true);
  assert.equal((await one(command('sh', '-c', 'echo broken; exit 3')))?.message, 'ended with 3: broken');
  assert.equal((await one(command('/does/not/exist')))?.passed, false);
  const began = performance.now();
  assert.equal((await one(command('sleep', '600'), targets('True'), 50))?.passed, false);
  assert.ok(performance.now() - began < 300_000, 'long before it would have ended');
});

test('a check that may take for ever is run all the same', async () => {
  const forever: HealthCheck = { name: 'c', command: { argv: ['true'] }, timeout: '99999999999999999h' };
  const [found] = await probeAll([forever], targets('True'), Number.MAX_SAFE_INTEGER, never);
  assert.equal(found?.passed, true);
});

test('a check that the end of the gate cuts short failed for what it said before, if it did fail', async () => {
  const { port } = server.address() as AddressInfo;
  const slow: HealthCheck = { name: 'it', http: { port, path: '/', scheme: 'http' }, timeout: '10s' };
  status = 0;
  const cutShort = async (before: CheckResult[]) =>
    (await probeAll([slow], targets('True'), 50, never, before))[0]?.message;
  assert.equal(
    await cutShort([{ name: 'it', passed: false, message: 'port 1 answered 500' }]),
    'port 1 answered 500',
  );
  for (const before of [[], [{ name: 'it', passed: true, message: 'passed' }], [result('another', false)]])
    assert.equal(await cutShort(before), 'no answer within 10s');
  const [late] = await probeAll([{ ...slow, timeout: '50ms' }], targets('True'), 60_000, never, [
    result('it', false),
  ]);
  assert.equal(late?.message, 'no answer within 50ms', 'it had its time');
});

test('the gate wants every check to pass in one round, before its deadline', () => {
  const gate = healthGate.parse({
    deadline: '1m',
    checks: [
      { name: 'a', nodeReady: {} },
      { name: 'b', nodeReady: {} },
    ],
  });
  assert.equal(evaluateGate(gate, undefined, 0).verdict, 'Waiting');
  assert.equal(evaluateGate(gate, [result('a', true)], 0).verdict, 'Waiting', 'b has no result');
  assert.equal(evaluateGate(gate, [result('a', true), result('b', false)], 59_999).verdict, 'Waiting');
  assert.equal(evaluateGate(gate, [result('a', true), result('b', true)], 59_999).verdict, 'Passed');
  const late = evaluateGate(gate, [result('a', true), result('b', false)], 60_000);
  assert.deepEqual(late, { verdict: 'Expired', message: 'not healthy within 1m of the boot: b: no' });
});
