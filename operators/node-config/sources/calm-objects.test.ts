import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CalmObjects } from './calm-objects.ts';

const data = (text: string) => ({ key: Buffer.from(text) });
const read = (objects: CalmObjects) => Buffer.from(objects.get('a')?.['key'] ?? []).toString();

test('what is new counts at once, and so does what is gone', () => {
  const objects = new CalmObjects();
  assert.ok(objects.see('a', data('1'), 0));
  assert.equal(read(objects), '1');
  assert.ok(objects.see('a', undefined, 1));
  assert.equal(objects.get('a'), undefined);
  assert.ok(objects.see('a', data('2'), 2));
  assert.equal(read(objects), '2');
});

test('three rotations within ten seconds are one change, to the last of them', () => {
  const objects = new CalmObjects();
  objects.see('a', data('0'), 0);
  for (const [at, text] of [
    [1000, '1'],
    [4000, '2'],
    [8000, '3'],
  ] as const) {
    assert.equal(objects.see('a', data(text), at), false);
    assert.equal(objects.settle(at), false);
  }
  assert.equal(objects.nextAt(), 13_000);
  assert.equal(objects.settle(12_999), false);
  assert.ok(objects.settle(13_000));
  assert.equal(read(objects), '3');
  assert.equal(objects.nextAt(), undefined);
});

test('one that never stands still counts after half a minute nevertheless', () => {
  const objects = new CalmObjects();
  objects.see('a', data('0'), 0);
  for (let at = 1000; at < 31_000; at += 1000) objects.see('a', data(String(at)), at);
  assert.ok(objects.settle(31_000));
  assert.equal(read(objects), '30000');
});

test('one that goes back before it counted has not changed, and the same data is no change', () => {
  const objects = new CalmObjects();
  objects.see('a', data('0'), 0);
  objects.see('a', data('1'), 1000);
  objects.see('a', data('0'), 2000);
  objects.see('a', data('0'), 3000);
  assert.equal(objects.nextAt(), undefined);
  assert.equal(objects.settle(60_000), false);
  assert.equal(read(objects), '0');
});
