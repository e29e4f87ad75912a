import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeConfig } from '#api/kinds.ts';
import { nodeConfigSpec } from '#api/node-config.ts';
import { differing } from './difference.ts';

function config(name: string, file: object): NodeConfig {
  const spec = nodeConfigSpec.parse({ nodeSelector: {}, files: [{ path: `/etc/${name}`, ...file }] });
  return { apiVersion: 'careen.dev/v1alpha1', kind: 'NodeConfig', metadata: { name }, spec };
}

function sources(...all: string[]) {
  return all.map((one) => ({ name: one.charAt(0), uid: '', generation: 1, hash: one }));
}

const plain = config('a', { contents: 'x' });
const named = config('b', { contents: '${node.name}' });
const secret = config('c', { contentsFrom: { secret: { namespace: 'n', name: 's', key: 'k' } } });

test('a config that says something else than what is in force differs, and so does one that is new', () => {
  assert.deepEqual(differing([plain, named], sources('a2', 'b1'), sources('a1', 'b1')), ['a']);
  assert.deepEqual(differing([plain, named], sources('a1', 'b1'), sources('a1')), ['b']);
  assert.deepEqual(differing([plain, named], sources('a1', 'b1'), undefined), ['a', 'b']);
});

test('where all say the same, those differ whose Secrets or values may have changed', () => {
  const same = sources('a1', 'b1', 'c1');
  assert.deepEqual(differing([plain, named, secret], same, same), ['c']);
  assert.deepEqual(differing([plain, named], sources('a1', 'b1'), sources('a1', 'b1')), ['b']);
  assert.deepEqual(differing([plain], sources('a1'), sources('a1')), ['a']);
});

test('where one is gone, all that are left must admit the change', () => {
  assert.deepEqual(differing([plain, named], sources('a1', 'b1'), sources('a1', 'b1', 'c1')), ['a', 'b']);
});
