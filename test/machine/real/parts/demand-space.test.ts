import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { demandSpace } from './demand-space.ts';

test('what fits is done without a word', async () => {
  await demandSpace(tmpdir(), { mib: 0, for: 'nothing' });
});

test('what does not fit says what, where and how much', async () => {
  await assert.rejects(demandSpace(tmpdir(), { mib: 2 ** 50, for: 'a tree' }), {
    code: 'NotPossible',
    message: /^a tree takes \d+ MB in \S+, where only \d+ MB are free$/,
  });
});
