import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plan } from './plan.ts';

const checks = ['format', 'types'];
const files = ['a/x.test.ts', 'a/y.integration.test.ts', 'b/z.e2e.test.ts', 'c/w.nodes.test.ts'];

test('no word means everything that is not slow, quick things first', () => {
  const { checks: asked, tests, unknown } = plan([], checks, files);
  assert.deepEqual(asked, checks);
  assert.deepEqual(
    tests.map(({ kind }) => kind),
    ['unit', 'integration'],
  );
  assert.deepEqual(unknown, []);
});

test('a kind, a check, or all checks can be asked for', () => {
  assert.deepEqual(plan(['unit'], checks, files), {
    checks: [],
    tests: [{ kind: 'unit', files: ['a/x.test.ts'] }],
    unknown: [],
  });
  assert.deepEqual(plan(['types'], checks, files).checks, ['types']);
  assert.deepEqual(plan(['static'], checks, files), { checks, tests: [], unknown: [] });
});

test('what is slow is run when it is asked for', () => {
  const slow = [{ kind: 'nodes', files: ['c/w.nodes.test.ts'] }];
  assert.deepEqual(plan(['nodes'], checks, files).tests, slow);
  assert.deepEqual(plan(['c'], checks, files).tests, slow);
  assert.deepEqual(plan(['e2e'], checks, files).tests, [{ kind: 'e2e', files: ['b/z.e2e.test.ts'] }]);
});

test('a path means the tests below it, of all kinds', () => {
  assert.deepEqual(plan(['a'], checks, files), {
    checks: [],
    tests: [
      { kind: 'unit', files: ['a/x.test.ts'] },
      { kind: 'integration', files: ['a/y.integration.test.ts'] },
    ],
    unknown: [],
  });
});

test('a path without tests is told, not passed over', () => {
  assert.deepEqual(plan(['a', 'unti'], checks, files).unknown, ['unti']);
});
