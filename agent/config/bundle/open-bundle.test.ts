import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { bundleHash } from '#api/config-hash.ts';
import type { ConfigBundle, ConfigDocument } from '#api/config-document.ts';
import { ConfigError } from '../config-error.ts';
import { openBundle } from './open-bundle.ts';

const SECRET = 'hunter2-hunter2';
const NODE = { name: 'n1', uid: 'u1' };
const SALT = 'a'.repeat(32);

const document: ConfigDocument = {
  schema: 1,
  directories: [],
  files: [
    {
      path: '/etc/token',
      content: { base64: Buffer.from(SECRET).toString('base64') },
      sensitive: true,
      mode: '0600',
      user: 'root',
      group: 'root',
      onRemove: 'Restore',
      drift: 'Heal',
      from: ['a'],
    },
  ],
  links: [],
  units: [],
  authorizedKeys: [],
  kernelArguments: { add: [], remove: [] },
  disruption: [],
  validate: [],
  probes: [],
  confirm: { timeout: '5m', settle: '20s' },
};
const hash = bundleHash(document, SALT);
const bundle: ConfigBundle = { hash, salt: SALT, generation: 3, node: NODE, document };
const expected = { node: NODE, hash, generation: 3 };

function pack(value: unknown): Buffer {
  return gzipSync(JSON.stringify(value));
}

async function refusal(packed: Uint8Array, want = expected): Promise<ConfigError> {
  const error: unknown = await openBundle(packed, want).then(
    () => assert.fail('it was taken'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ConfigError, String(error));
  assert.doesNotMatch(JSON.stringify([error.message, error.cause]), /hunter2|aHVudGVy/);
  return error;
}

test('a bundle that is whole and of this node is taken', async () => {
  assert.deepEqual(await openBundle(pack(bundle), expected), bundle);
});

test('one of another node, of another Node of the name, or with other content is refused, and no secret is said', async () => {
  const cases = [
    { ...bundle, node: { ...NODE, name: 'n2' } },
    { ...bundle, node: { ...NODE, uid: 'u2' } },
    { ...bundle, hash: 'b'.repeat(64) },
    { ...bundle, salt: 'b'.repeat(32) },
    { ...bundle, document: { ...document, files: [] } },
    { ...bundle, document: { ...document, files: [{ ...document.files[0], mode: SECRET }] } },
    { ...bundle, more: 1 },
    SECRET,
    null,
  ];
  for (const one of cases)
    assert.equal((await refusal(pack(one))).code, 'BundleInvalid', JSON.stringify(one));
  assert.match((await refusal(pack({ ...bundle, hash: 'b'.repeat(64), generation: 2 }))).message, /older/);
});

test('what is no gzip, no JSON, cut off, or a bomb is refused before it takes memory', async () => {
  const packed = pack(bundle);
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  for (const one of [
    Buffer.from(SECRET),
    gzipSync(SECRET),
    packed.subarray(0, 100),
    bomb,
    Buffer.alloc(2_000_000),
  ])
    assert.equal((await refusal(one)).code, 'BundleInvalid');
  assert.match((await refusal(bomb)).message, /unpacks to more/);
});

test('a newer schema is said to be newer, however it looks (A36)', async () => {
  const { code, message } = await refusal(pack({ ...bundle, document: { schema: 2, novelty: true } }));
  assert.equal(code, 'SchemaTooNew');
  assert.match(message, /upgrade the agent/);
});
