import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { mergePatch } from './merge-patch.ts';
import { applyMergePatch } from './testing/apply-merge-patch.ts';

const key = fc.constantFrom('a', 'b', 'c');
const { value } = fc.letrec<{ value: unknown; object: object }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.nat(3),
    fc.boolean(),
    fc.array(fc.nat(2), { maxLength: 2 }),
    tie('object'),
  ),
  object: fc.dictionary(key, tie('value'), { noNullPrototype: true }),
}));
const object = fc.dictionary(key, value, { noNullPrototype: true });

test('the patch, applied as the API server does, gives what is wanted', () => {
  fc.assert(
    fc.property(object, object, (from, to) => {
      const patch = mergePatch(from, to);
      assert.deepEqual(patch === undefined ? from : applyMergePatch(from, patch), to);
    }),
    { numRuns: 2000 },
  );
});

test('no difference is no patch', () => {
  fc.assert(fc.property(object, (one) => assert.equal(mergePatch(one, structuredClone(one)), undefined)));
});
