import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errnoOf } from './errno.ts';

test('an error of the system has a name, also where Node knows only its number', () => {
  const unnamed = { code: 'Unknown system error -122', errno: -122 };
  assert.equal(errnoOf(Object.assign(new Error('quota'), unnamed)), 'EDQUOT');
  assert.equal(errnoOf(Object.assign(new Error('full'), { code: 'ENOSPC', errno: -28 })), 'ENOSPC');
  const nobodys = { code: 'Unknown system error -9999', errno: -9999 };
  assert.equal(errnoOf(Object.assign(new Error('odd'), nobodys)), nobodys.code);
});

test('what is no error of the system has no such name', () => {
  for (const error of [new Error('other'), undefined, null, 'text']) assert.equal(errnoOf(error), undefined);
});
