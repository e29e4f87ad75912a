import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, noTests, sum } from './tally.ts';

test('tallies add up', () => {
  const one = { passed: 2, failed: 1, skipped: 0, failures: ['a'], files: [{ file: 'x', ms: 1 }] };
  const two = { passed: 3, failed: 1, skipped: 4, failures: ['b'], files: [{ file: 'y', ms: 2 }] };
  const files = [...one.files, ...two.files];
  assert.deepEqual(sum([one, two]), { passed: 5, failed: 2, skipped: 4, failures: ['a', 'b'], files });
  assert.deepEqual(sum([]), noTests);
});

test('durations are readable', () => {
  assert.deepEqual([0, 420, 9_949].map(duration), ['0.0 s', '0.4 s', '9.9 s']);
  assert.deepEqual([9_960, 59_400, 59_600, 185_000].map(duration), [
    '10 s',
    '59 s',
    '1 min 00 s',
    '3 min 05 s',
  ]);
});
