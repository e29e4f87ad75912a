import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { configBundle, type ConfigBundle, type ConfigDocument } from '#api/config-document.ts';
import { bundleHash, canonicalJson, documentHash } from '#api/config-hash.ts';
import { node, nodeConfig, nothing } from '../testing/node-config.ts';
import { packBundle } from './bundle.ts';
import { fill } from './fill.ts';
import { renderSet } from './render-set.ts';

const secret = { namespace: 'default', name: 's', key: 'token' };
const config = nodeConfig('a', {
  files: [
    { path: '/etc/motd', contents: 'I am ${node.name}' },
    { path: '/etc/token', contentsFrom: { secret }, mode: '0600' },
  ],
});

function filled(token: string | undefined) {
  const rendered = renderSet([config], nothing);
  assert.ok(rendered.ok);
  return fill(rendered, node('n1'), () => (token === undefined ? undefined : Buffer.from(token)));
}

function bundleOf(document: ConfigDocument): ConfigBundle {
  const salt = 'f'.repeat(32);
  return { hash: bundleHash(document, salt), salt, generation: 1, node: { name: 'n1', uid: 'u' }, document };
}

test('a secret is in the bundle, marked, and nowhere in what is rendered', () => {
  const rendered = renderSet([config], nothing);
  assert.ok(rendered.ok && !rendered.json.includes('aHVudGVyMg'));
  const found = filled('hunter2');
  assert.ok(found.ok);
  const [, token] = found.document.files;
  assert.deepEqual([token?.content, token?.sensitive], [{ base64: 'aHVudGVyMg==' }, true]);
});

test('the JSON that is filled in is canonical, so that both sides hash the same', () => {
  const found = filled('hunter2');
  assert.ok(found.ok);
  assert.equal(found.json, canonicalJson(found.document));
  assert.equal(documentHash(found.json, 'salt'), bundleHash(found.document, 'salt'));
});

test('a secret that cannot be read is named, with who wants it (A21)', () => {
  const found = filled(undefined);
  assert.ok(!found.ok);
  assert.equal(found.reason, 'SecretMissing');
  assert.match(found.message, /key token of Secret default\/s, the content of \/etc\/token of a/);
});

test('a bundle is packed into the same bytes each time, and unpacks to itself', () => {
  const found = filled('hunter2');
  assert.ok(found.ok);
  const bundle = bundleOf(found.document);
  const packed = packBundle(bundle);
  assert.ok(packed.ok);
  assert.deepEqual(packBundle(bundle), packed);
  assert.deepEqual(configBundle.parse(JSON.parse(gunzipSync(packed.data).toString())), bundle);
});

test('a bundle that does not fit is refused by size and path, not by content (A25, A22)', () => {
  const found = filled(randomBytes(1_200_000).toString('latin1'));
  assert.ok(found.ok);
  const packed = packBundle(bundleOf(found.document));
  assert.ok(!packed.ok);
  assert.match(
    packed.message,
    /^what node n1 should have takes \d+ KiB \(gzip\) of 1024 KiB; the largest is \/etc\/token/,
  );
});
