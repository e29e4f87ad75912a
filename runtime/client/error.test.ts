import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorOfStatus, isKubeError } from './error.ts';

describe('the error of an answer', () => {
  it('tells the two conflicts apart', () => {
    assert.equal(errorOfStatus('POST /x', 409, { reason: 'AlreadyExists' }).code, 'AlreadyExists');
    assert.equal(errorOfStatus('PUT /x', 409, { reason: 'Conflict' }).code, 'Conflict');
  });

  it('says what was asked and what the server said', () => {
    const error = errorOfStatus('GET /api/v1/nodes/n1', 404, {
      message: 'nodes "n1" not found',
      reason: 'NotFound',
    });
    assert.equal(error.message, 'GET /api/v1/nodes/n1: nodes "n1" not found');
    assert.ok(isKubeError(error, 'NotFound') && !isKubeError(error, 'Gone'));
  });

  it('takes the time to wait from the header, else from the details', () => {
    assert.equal(errorOfStatus('x', 429, { details: { retryAfterSeconds: 2 } }).retryAfterMs, 2000);
    assert.equal(errorOfStatus('x', 429, { details: { retryAfterSeconds: 2 } }, 7000).retryAfterMs, 7000);
    assert.equal(errorOfStatus('x', 500, undefined).retryAfterMs, undefined);
  });

  it('cuts a message that is too long to log', () => {
    assert.ok(errorOfStatus('x', 422, { message: 'y'.repeat(10_000) }).message.length < 1100);
  });
});
