import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../tool.ts';
import { LONGEST, longestFirst } from './longest-first.ts';

test('what takes longest comes first, and everything comes once', () => {
  const [longest = '', next = ''] = LONGEST;
  assert.deepEqual(longestFirst(['a', next, 'b', longest]), [longest, next, 'a', 'b']);
});

test('what is said to take long is there', () => {
  for (const file of LONGEST) assert.ok(existsSync(path.join(root, file)), file);
});
