import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#api/meta.ts';
import { Latest } from './latest.ts';

function object(resourceVersion: string): KubeObject {
  return { metadata: { name: 'a', resourceVersion } };
}

test('what was written counts until the cache has caught up, and no longer', () => {
  const cache = new Map([['a', object('9')]]);
  const latest = new Latest(cache);
  latest.wrote(object('10'));
  assert.equal(latest.get('a')?.metadata.resourceVersion, '10');
  cache.set('a', object('11'));
  assert.equal(latest.get('a')?.metadata.resourceVersion, '11');
});

test('what was made counts before the cache has it, and what was deleted is gone', () => {
  const cache = new Map<string, KubeObject>();
  const latest = new Latest(cache);
  latest.wrote(object('10'));
  assert.equal(latest.get('a')?.metadata.resourceVersion, '10');
  latest.seen('a');
  assert.equal(latest.get('a'), undefined);
});
