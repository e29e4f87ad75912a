import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readMark, writeMark } from './cordon-mark.ts';

test('a mark is read as it was written', () => {
  const mark = fc.record(
    { at: fc.integer({ min: 0, max: 2 ** 31 - 1 }), lifted: fc.boolean() },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9.@-]{1,20}$/), mark, (identity, set) => {
      assert.deepEqual(readMark(writeMark(identity, set)), set);
    }),
  );
});

test('a mark that cannot be read is a cordon of ours all the same, set nobody knows when', () => {
  for (const text of ['', '@', 'someone', 'someone@noon']) {
    assert.deepEqual(readMark(text), { at: 0, lifted: false });
  }
});
