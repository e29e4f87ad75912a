import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { canonicalJson } from './config-hash.ts';

test('canonical JSON of a value does not depend on the order of its keys', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const there = JSON.stringify(value);
      const turned: unknown = JSON.parse(there, (_, inner: unknown) =>
        typeof inner === 'object' && inner !== null && !Array.isArray(inner)
          ? Object.fromEntries(Object.entries(inner).toReversed())
          : inner,
      );
      assert.equal(canonicalJson(turned), canonicalJson(value));
      assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(there));
    }),
    { numRuns: 2000 },
  );
});

test('an absent key and one that is undefined are the same', () => {
  assert.equal(canonicalJson({ b: [{ z: 1, a: undefined }], a: 'x' }), '{"a":"x","b":[{"z":1}]}');
});
