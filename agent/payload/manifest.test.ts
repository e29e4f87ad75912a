import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { chunkBytes, MAX_MANIFEST_BYTES, parseManifest } from './manifest.ts';
import { PayloadError } from './payload-error.ts';

const KIB = 1024;
const hash = 'ab'.repeat(32);

function manifest() {
  return {
    format: 1,
    version: '2.0.0',
    size: 150 * KIB,
    sha256: hash,
    chunkSize: 64 * KIB,
    compression: 'zstd',
    blob: 'blob',
    chunks: [
      { sha256: hash, offset: 0, length: 100 },
      { sha256: hash, offset: 100, length: 64 * KIB },
      { sha256: hash, offset: 100 + 64 * KIB, length: 7 },
    ],
  };
}

const parse = (value: unknown) => parseManifest(Buffer.from(JSON.stringify(value)));
const refused = (error: unknown) => error instanceof PayloadError && error.code === 'ManifestInvalid';

test('a manifest is read, and the last chunk is what remains', () => {
  const read = parse(manifest());
  assert.deepEqual(
    [0, 1, 2].map((index) => chunkBytes(read, index)),
    [64 * KIB, 64 * KIB, 22 * KIB],
  );
});

type Draft = ReturnType<typeof manifest> & Record<string, unknown>;

const HOSTILE: Record<string, (draft: Draft) => unknown> = {
  'another format': (m) => (m.format = 2),
  'a version that is a path': (m) => (m.version = '../2'),
  'no bytes': (m) => (m.size = 0),
  'a size beyond all chunks': (m) => (m.size = 2 ** 50),
  'a size that is no whole number': (m) => (m.size = 1.5),
  'fewer chunks than its size needs': (m) => m.chunks.pop(),
  'more chunks than its size needs': (m) => m.chunks.push({ sha256: hash, offset: 10 ** 6, length: 5 }),
  'chunks of 32 KiB': (m) => (m.chunkSize = 32 * KIB),
  'chunks of 32 MiB': (m) => (m.chunkSize = 32 * KIB * KIB),
  'chunks of no power of two': (m) => (m.chunkSize = 65 * KIB),
  'another compression': (m) => (m.compression = 'xz'),
  'a blob on another host': (m) => (m.blob = 'http://evil/blob'),
  'a blob on another host, without scheme': (m) => (m.blob = '//evil/blob'),
  'a blob elsewhere on the host': (m) => (m.blob = '/etc/passwd'),
  'a blob above': (m) => (m.blob = '../blob'),
  'a blob above, further in': (m) => (m.blob = 'a/../../blob'),
  'a blob above, encoded': (m) => (m.blob = '%2e%2e/blob'),
  'chunks that overlap in the blob': (m) => (m.chunks[1] = { sha256: hash, offset: 99, length: 100 }),
  'chunks in another order in the blob': (m) => (m.chunks = m.chunks.toReversed()),
  'an offset before the blob': (m) => (m.chunks[0] = { sha256: hash, offset: -5, length: 5 }),
  'an offset beyond all files': (m) =>
    (m.chunks[2] = { sha256: hash, offset: Number.MAX_SAFE_INTEGER, length: 5 }),
  'a chunk of nothing': (m) => (m.chunks[0] = { sha256: hash, offset: 0, length: 0 }),
  'a packed chunk much larger than the chunk': (m) =>
    (m.chunks[2] = { sha256: hash, offset: 10 ** 6, length: 30 * KIB }),
  'a raw chunk of another length': (m) => (m.compression = 'none'),
  'a digest of another form': (m) => (m.sha256 = hash.toUpperCase()),
  'a field that is not known': (m) => (m['postInstall'] = 'rm -rf /'),
};

for (const [what, change] of Object.entries(HOSTILE)) {
  test(`a manifest with ${what} is refused`, () => {
    const draft: Draft = manifest();
    change(draft);
    assert.throws(() => parse(draft), refused);
  });
}

test('what is no JSON, too large, or nested without end is refused', () => {
  assert.throws(() => parseManifest(Buffer.from('{"format":1')), refused);
  assert.throws(() => parseManifest(Buffer.alloc(MAX_MANIFEST_BYTES + 1, ' ')), refused);
  assert.throws(() => parseManifest(Buffer.from('['.repeat(1_000_000))), refused);
  for (const value of [null, [], 5, 'x', {}]) assert.throws(() => parse(value), refused);
});

test('whatever JSON comes, parsing ends in a typed error', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => assert.throws(() => parse(value), refused)),
    { numRuns: 500 },
  );
});
