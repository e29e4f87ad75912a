import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { nameMatches, standsTo } from './path-pattern.ts';

test('a star stands for any characters of one component', () => {
  assert.equal(standsTo('/etc/shadow-', '/etc/shadow*'), 'within');
  assert.equal(standsTo('/etc/a/b', '/etc/*'), 'within');
  assert.equal(standsTo('/etc/a/b', '/etc/*/c'), undefined);
  assert.equal(standsTo('/etc', '/etc/shadow*'), 'above');
  assert.equal(standsTo('/etc/a', '/etc/*/c'), undefined);
});

test('a name matches a pattern as the regular expression would say', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 }), word, (name, pattern) => {
      assert.equal(
        nameMatches(name, pattern),
        new RegExp(`^${pattern.replaceAll(/\*+/g, '.*')}$`).test(name),
      );
    }),
    { numRuns: 5000 },
  );
});
