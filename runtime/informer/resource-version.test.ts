import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isNewer } from './resource-version.ts';

describe('resource versions', () => {
  it('are ordered as whole numbers of any length', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 80n }), fc.bigInt({ min: 0n, max: 2n ** 80n }), (a, b) => {
        return isNewer(String(a), String(b)) === a > b;
      }),
    );
  });

  it('that are not numbers are taken for new', () => {
    assert.ok(isNewer('abc', '5') && isNewer('5', ''));
  });
});
