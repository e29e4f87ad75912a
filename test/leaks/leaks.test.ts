import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { leaksOf, plantedSecret } from './leaks.ts';

const SECRET = plantedSecret('one');
const bytes = Buffer.from(SECRET);
const HIDDEN: Record<string, string | Buffer> = {
  plain: SECRET,
  JSON: JSON.stringify({ a: SECRET }),
  'JSON in JSON': JSON.stringify(JSON.stringify([SECRET])),
  URL: encodeURIComponent(SECRET),
  hex: bytes.toString('hex'),
  base64: bytes.toString('base64'),
  base64url: bytes.toString('base64url'),
  'plain in gzip': gzipSync(`before ${SECRET} after`),
  'plain in gzip in base64': `data:;base64,${gzipSync(SECRET).toString('base64')}`,
  'JSON in gzip in base64': gzipSync(JSON.stringify({ contents: SECRET })).toString('base64url'),
};

for (const [form, told] of Object.entries(HIDDEN)) {
  test(`a secret is found as ${form}, wherever it stands`, () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~]{0,40}$/), fc.stringMatching(/^[ -~]{0,40}$/), (before, after) => {
        const around = Buffer.concat([
          Buffer.from(`${before} `),
          Buffer.from(told as string),
          Buffer.from(` ${after}`),
        ]);
        assert.ok(leaksOf(SECRET, around).includes(form));
      }),
    );
  });
}

test('in base64 it is found at any place among other bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ maxLength: 8 }), (before, after) => {
      const all = Buffer.concat([before, bytes, after]);
      assert.ok(leaksOf(SECRET, all.toString('base64')).includes('base64'));
    }),
  );
});

test('what is not told is not found', () => {
  const other = plantedSecret('another');
  for (const told of [...Object.values(HIDDEN), gzipSync('nothing')])
    assert.deepEqual(leaksOf(other, told), []);
});
