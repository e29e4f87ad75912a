import assert from 'node:assert/strict';
import { it } from 'node:test';
import { hostileBodies } from '../testing/hostile-bodies.ts';
import { readRequest } from './read-request.ts';
import { RequestError } from './request-error.ts';

it('two thousand hostile bodies are read or refused, each in little time', () => {
  const refused = new Map<string, number>();
  for (const body of hostileBodies(2000)) {
    try {
      assert.ok(readRequest(body).apps.length <= 128);
    } catch (error) {
      assert.ok(error instanceof RequestError, String(error));
      refused.set(error.code, (refused.get(error.code) ?? 0) + 1);
    }
  }
  assert.deepEqual([...refused.keys()].toSorted(), ['Encoding', 'Malformed', 'NotARequest', 'TooComplex']);
});
