import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tarArguments } from './tar-arguments.ts';

test('entries are sorted by their bytes and cannot be taken for flags', () => {
  const args = tarArguments('/tree', ['ä', 'b', '-a', 'B']);
  assert.deepEqual(args.slice(args.indexOf('--')), ['--', '-a', 'B', 'b', 'ä']);
});

test('nothing at all is packed from an empty directory, not even the directory', () => {
  assert.deepEqual(tarArguments('/tree', []).at(-1), '--files-from=/dev/null');
});

test('neither times, nor users, nor process numbers of this machine get in', () => {
  const args = tarArguments('/tree', ['a']);
  for (const flag of ['--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--sort=name']) {
    assert.ok(args.includes(flag), flag);
  }
});
