import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { byteRange } from './byte-range.ts';

test('ranges are read as RFC 9110 has them', () => {
  assert.deepEqual(byteRange('bytes=0-0', 10), { start: 0, end: 1 });
  assert.deepEqual(byteRange('bytes=3-', 10), { start: 3, end: 10 });
  assert.deepEqual(byteRange('bytes=3-99', 10), { start: 3, end: 10 });
  assert.deepEqual(byteRange('bytes=-4', 10), { start: 6, end: 10 });
  assert.deepEqual(byteRange('bytes=-40', 10), { start: 0, end: 10 });
  for (const beyond of ['bytes=10-', 'bytes=10-12', 'bytes=-0'])
    assert.equal(byteRange(beyond, 10), 'unsatisfiable');
  for (const other of [
    undefined,
    'bytes=',
    'bytes=-',
    'bytes=5-3',
    'bytes=0-1,3-4',
    'items=0-1',
    'bytes=a-b',
  ]) {
    assert.equal(byteRange(other, 10), undefined);
  }
});

test('whatever is asked for lies in the file', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.stringMatching(/^bytes=\d{0,18}-\d{0,18}$/)),
      fc.nat(1000),
      (header, size) => {
        const range = byteRange(header, size);
        if (range === undefined || range === 'unsatisfiable') return;
        assert.ok(0 <= range.start && range.start < range.end && range.end <= size);
      },
    ),
  );
});
