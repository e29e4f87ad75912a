import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { generateKey, sign, verify } from './minisign.ts';
import { PayloadError } from './payload-error.ts';

/** Made by minisign 0.11: `minisign -G -W` and `minisign -S -m file -t 'version 2.0.0'`. The key protects nothing. */
const FILE = Buffer.from('hello\n');
const PUBLIC = 'RWRdJVJJSBnygGhVChIYm1xdexLGzXJRA+hn9e5ZIC4d6DtAw0Dcc5aW';
const SECRET = `untrusted comment: minisign encrypted secret key
RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXSVSSUgZ8oB93CZr69MoD1FpgawExUTQzwsabmhDvJUKwGPLrty0dGhVChIYm1xdexLGzXJRA+hn9e5ZIC4d6DtAw0Dcc5aWAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
`;
const SIGNATURE = `untrusted comment: signature from minisign secret key
RURdJVJJSBnygGgG35OaI2oYDLYlJeTWTtCJvagoPKWoj/QST78zb1Io7N2PeCRIymluFVDDhJ2oPbCE4L/Hatj1k3WEF9YGmwY=
trusted comment: version 2.0.0
F5JrkgvdCeclSyogbR50+taXew8kwbCWg2Zm334FasLSyLINHdlqh4sSjG4wMjWO9b3W8P3zSAOQvH7iF7jOBw==
`;
/** The same with `-l`, not prehashed. */
const LEGACY = `untrusted comment: signature from minisign secret key
RWRdJVJJSBnygO1KUyZaf+CViBbeah8V8HhFWF4UwzgP5h90ikyWujq763tLYTQMagbhLEnid2ypdHx/t/dOy2juTgKPmTFhlwI=
trusted comment: version 2.0.0
xUTPhv8RvvdbI4ElYW1iJPtDaTCABPxCkmPh/SnQtVMh89t16EtGFJZVvsElXQdFUb5Z4OJebtmMlUGfjT2AAw==
`;

const withoutComment = (text: string) => text.slice(text.indexOf('\n'));

function code(wanted: string) {
  return (error: unknown) => error instanceof PayloadError && error.code === wanted;
}

test("minisign's own signature is verified, and ours is the same to the byte", () => {
  assert.equal(verify(FILE, SIGNATURE, [PUBLIC]), 'version 2.0.0');
  assert.equal(
    verify(FILE, SIGNATURE.replaceAll('\n', '\r\n'), [generateKey().publicKey, PUBLIC]),
    'version 2.0.0',
  );
  assert.equal(withoutComment(sign(FILE, SECRET, 'version 2.0.0')), withoutComment(SIGNATURE));
});

test('another key, another file and another trusted comment are refused', () => {
  assert.throws(() => verify(FILE, SIGNATURE, [generateKey().publicKey]), code('KeyUnknown'));
  assert.throws(() => verify(FILE, SIGNATURE, []), code('KeyUnknown'));
  assert.throws(() => verify(FILE, SIGNATURE, ['RWnonsense']), code('KeyUnknown'));
  assert.throws(() => verify(Buffer.from('hello'), SIGNATURE, [PUBLIC]), code('SignatureInvalid'));
  assert.throws(() => verify(FILE, SIGNATURE.replace('2.0.0', '3.0.0'), [PUBLIC]), code('SignatureInvalid'));
  assert.throws(() => verify(FILE, LEGACY, [PUBLIC]), code('SignatureInvalid'));
});

test('every bit that flips in the signed lines of a signature makes it invalid', () => {
  const start = SIGNATURE.indexOf('\n') + 1;
  for (let at = start; at < SIGNATURE.length - 1; at++) {
    for (let bit = 0; bit < 7; bit++) {
      const text = Buffer.from(SIGNATURE);
      text[at] = (text[at] ?? 0) ^ (1 << bit);
      assert.throws(
        () => verify(FILE, text.toString('latin1'), [PUBLIC]),
        PayloadError,
        `bit ${bit} of byte ${at}`,
      );
    }
  }
});

test('whatever a signature file holds, verifying ends in a typed error', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      assert.throws(() => verify(FILE, text, [PUBLIC]), PayloadError);
      assert.throws(() => verify(FILE, SIGNATURE.slice(0, 100) + text, [PUBLIC]), PayloadError);
    }),
    { numRuns: 300 },
  );
});

test('what is signed with a generated key is verified with it, and refused after any change', () => {
  const { publicKey, secretKey } = generateKey();
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(), (bytes, position) => {
      const signature = sign(bytes, secretKey, 'a comment');
      assert.equal(verify(bytes, signature, [PUBLIC, publicKey]), 'a comment');
      const changed = Uint8Array.from(bytes);
      const at = position % bytes.length;
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.throws(() => verify(changed, signature, [publicKey]), code('SignatureInvalid'));
    }),
    { numRuns: 100 },
  );
});

test('an encrypted key, no key and a comment of two lines are refused', () => {
  const encrypted = SECRET.replace('RWQAAEIy', 'RWRTY0Iy');
  for (const text of [encrypted, '', 'x\ny\n']) assert.throws(() => sign(FILE, text, ''), RangeError);
  assert.throws(() => sign(FILE, SECRET, 'a\nb'), RangeError);
});

test('the minisign program and we verify what the other signs', (context) => {
  if (spawnSync('minisign', ['-v']).status !== 0) return context.skip('minisign is not installed');
  const directory = mkdtempSync(join(tmpdir(), 'careen-minisign-'));
  try {
    const { publicKey, secretKey } = generateKey();
    const [file, key] = [join(directory, 'file'), join(directory, 'key')];
    writeFileSync(file, FILE);
    writeFileSync(key, secretKey);
    writeFileSync(`${file}.minisig`, sign(FILE, secretKey, 'ours'));
    assert.match(execFileSync('minisign', ['-Vm', file, '-P', publicKey], { encoding: 'utf8' }), /ours/);
    execFileSync('minisign', ['-S', '-s', key, '-m', file, '-t', 'theirs']);
    assert.equal(verify(FILE, readFileSync(`${file}.minisig`, 'utf8'), [publicKey]), 'theirs');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
