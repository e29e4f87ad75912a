import assert from 'node:assert/strict';
import { test } from 'node:test';
import { words } from './words.ts';

test('words are taken with the comments that explain them', () => {
  const source = "export const WHY = [\n  'Full', // no room\n  'Closed', // not now\n] as const;\n";
  assert.deepEqual(words(source, 'WHY'), [
    { word: 'Full', meaning: 'no room' },
    { word: 'Closed', meaning: 'not now' },
  ]);
});

test('a word that nothing explains is an error, and so is a list that is not there', () => {
  assert.throws(() => words("export const WHY = [\n  'Full',\n] as const;\n", 'WHY'), /no comment explains/);
  assert.throws(() => words('', 'WHY'), /no list WHY/);
});
