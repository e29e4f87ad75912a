import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorOfStatus, KubeError } from './error.ts';
import { retryDelayMs } from './retry.ts';

const connection = (code: string): KubeError =>
  new KubeError('x', { code: 'Unreachable', cause: Object.assign(new Error(code), { code }) });
const status = (code: number, retryAfterMs?: number): KubeError =>
  errorOfStatus('GET /x', code, { message: 'no' }, retryAfterMs);

function retried(method: string, error: unknown, attempts = 1): number | undefined {
  return retryDelayMs({ method, path: '/x', attempts, error, random: 0.5 });
}

describe('the retry of a request', () => {
  it('repeats a read after any failure that may pass', () => {
    const passing = [status(429), status(500), status(503), status(504), connection('ECONNRESET')];
    for (const error of passing) assert.notEqual(retried('GET', error), undefined, error.message);
  });

  it('never repeats what will be refused again', () => {
    for (const code of [400, 401, 403, 404, 409, 410, 422])
      assert.equal(retried('GET', status(code)), undefined);
    assert.equal(retried('GET', new Error('a bug')), undefined);
  });

  it('repeats a write only when the server cannot have carried it out', () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      assert.equal(retried(method, connection('ECONNRESET')), undefined);
      assert.equal(retried(method, connection('UND_ERR_SOCKET')), undefined);
      assert.equal(retried(method, status(500)), undefined);
      assert.equal(retried(method, status(503)), undefined);
      assert.equal(retried(method, status(504)), undefined);
      assert.notEqual(retried(method, connection('ECONNREFUSED')), undefined);
      assert.notEqual(retried(method, status(429)), undefined);
      assert.notEqual(retried(method, status(503, 1000)), undefined);
    }
  });

  it('never repeats an eviction, which is decided on what was known when it was asked for', () => {
    const path = '/api/v1/namespaces/a/pods/b/eviction';
    for (const error of [status(429, 10_000), status(503, 1000), connection('ECONNREFUSED')]) {
      assert.equal(retryDelayMs({ method: 'POST', path, attempts: 1, error, random: 0 }), undefined);
    }
  });

  it('waits at least as long as the server asked', () => {
    assert.ok((retried('POST', status(429, 3000)) ?? 0) >= 3000);
  });

  it('ends after five attempts', () => {
    assert.notEqual(retried('GET', status(503), 4), undefined);
    assert.equal(retried('GET', status(503), 5), undefined);
  });
});
