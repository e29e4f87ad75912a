import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backOffMs } from './back-off.ts';

test('the first restart is at once, later ones after ever longer delays up to the greatest', () => {
  const backOff = { firstMs: 500, maxMs: 3000, resetMs: 60_000 };
  const delays = [1, 2, 3, 4, 5, 60].map((failures) => backOffMs(failures, backOff));
  assert.deepEqual(delays, [0, 500, 1000, 2000, 3000, 3000]);
});
