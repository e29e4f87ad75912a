import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { diffOf } from './diff.ts';

test('a change is shown as a unified diff, with owners and modes in its head', () => {
  const diff = diffOf('/etc/a', { mark: '0600 0:0', text: 'a\nb\n' }, { mark: '0644 0:0', text: 'a\nc\n' });
  assert.equal(diff, '--- /etc/a\t0600 0:0\n+++ /etc/a\t0644 0:0\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n');
});

function show(before: string, after: string): string {
  return diffOf('/etc/a', { mark: '0600 0:0', text: before }, { mark: '0644 0:0', text: after });
}

test('a change of mode alone, a binary file and a very long one are shown by their heads', () => {
  const heads = '--- /etc/a\t0600 0:0\n+++ /etc/a\t0644 0:0\n';
  assert.equal(show('a', 'a'), heads);
  assert.equal(show('a', 'b\0'), heads);
  assert.equal(show('a', 'b'.repeat(300_000)), heads);
});

test('a diff is never longer than the status allows', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.array(fc.string()), fc.nat(20), (a, b, times) => {
      const text = (lines: string[]) => lines.join('\n').repeat(times);
      assert.ok(diffOf('/etc/a', { mark: '', text: text(a) }, { mark: '', text: text(b) }).length <= 4096);
    }),
    { numRuns: 200 },
  );
});
