import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { compareVersions } from './version.ts';

const ORDERED = [
  '0',
  '0.9',
  '1.0.0-1',
  '1.0.0-2',
  '1.0.0-10',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-beta',
  '1.0.0-rc.1',
  '1.0.0',
  '1.0.0.1',
  '1.0.1',
  '1.2',
  '1.10',
  '2',
  '4593.1.0',
  '20260101000000.0',
  '99999999999999999998',
  '99999999999999999999',
];

test('versions order by their numbers, and a pre-release comes before its release', () => {
  for (const [i, older] of ORDERED.entries()) {
    for (const newer of ORDERED.slice(i + 1)) {
      assert.ok(compareVersions(older, newer) < 0, `${older} is older than ${newer}`);
      assert.ok(compareVersions(newer, older) > 0, `${newer} is newer than ${older}`);
    }
  }
});

test('a missing number is 0, leading zeros and the build do not count', () => {
  assert.equal(compareVersions('2', '2.0.0.0'), 0);
  assert.equal(compareVersions('2.01', '2.1'), 0);
  assert.equal(compareVersions('2.0.0+nightly-1', '2.0.0+nightly-2'), 0);
});

test('the order is total: antisymmetric and transitive', () => {
  const number = fc.nat(12).map(String);
  const tail = fc.constantFrom('', '-rc.1', '-rc.2', '-1', '-a', '-a.b', '+x');
  const version = fc
    .tuple(fc.array(number, { minLength: 1, maxLength: 4 }), tail)
    .map(([numbers, suffix]) => numbers.join('.') + suffix);
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      assert.equal(Math.sign(compareVersions(a, b)), 0 - Math.sign(compareVersions(b, a)));
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) assert.ok(compareVersions(a, c) <= 0);
    }),
    { numRuns: 2000 },
  );
});
