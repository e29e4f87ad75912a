import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { withKeys } from './key-block.ts';

const line = fc.string({ unit: fc.constantFrom('a', 'b', '#', ' ') });
const text = fc.array(line).map((lines) => lines.map((one) => `${one}\n`).join(''));
const keys = fc.array(
  line.filter((one) => one !== ''),
  { minLength: 1 },
);

test('keys of others stay byte for byte, however often ours are replaced and removed', () => {
  fc.assert(
    fc.property(text, keys, keys, (others, first, second) => {
      const one = withKeys(others, first);
      assert.ok(one.startsWith(others));
      assert.equal(withKeys(one, first), one);
      assert.equal(withKeys(withKeys(one, second), []), others);
    }),
    { numRuns: 2000 },
  );
});

test('a last line without its end is not joined with ours', () => {
  assert.match(
    withKeys('ssh-ed25519 AAA me', ['ssh-ed25519 BBB']),
    /^ssh-ed25519 AAA me\n# .*\nssh-ed25519 BBB\n# .*\n$/,
  );
});

test('a part that is as it should be stays where it is, whatever others add around it', () => {
  fc.assert(
    fc.property(text, text, keys, (before, after, ours) => {
      const all = `${withKeys(before, ours)}${after}`;
      assert.equal(withKeys(all, ours), all);
      assert.equal(withKeys(all, []), `${before}${after}`);
    }),
    { numRuns: 2000 },
  );
});
