import assert from 'node:assert/strict';
import { BucketError, type BucketErrorCode } from '../bucket-error.ts';
import { SECRET_KEY } from './bucket-server.ts';

/** It is refused with this code, in words that have no secret. */
export async function fails(what: Promise<unknown>, code: BucketErrorCode): Promise<void> {
  await assert.rejects(what, (error) => {
    assert.ok(error instanceof BucketError, String(error));
    assert.equal(error.code, code, error.message);
    assert.doesNotMatch(JSON.stringify([error.message, error.stack]), new RegExp(SECRET_KEY));
    return true;
  });
}
