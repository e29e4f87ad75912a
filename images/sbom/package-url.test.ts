import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packageUrl } from './package-url.ts';

test('a scoped npm package', () => {
  assert.equal(
    packageUrl('npm', '@kubernetes/client-node', '2.0.1'),
    'pkg:npm/%40kubernetes/client-node@2.0.1',
  );
});

test('a Debian package: its version may hold a plus, its qualifiers are sorted', () => {
  assert.equal(
    packageUrl('deb', 'debian/libstdc++6', '12.2.0-14+deb12u1', { distro: 'debian-12', arch: 'amd64' }),
    'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12',
  );
});

test('an image by its digest: the colon stays', () => {
  assert.equal(packageUrl('oci', 'careen-agent', 'sha256:abc'), 'pkg:oci/careen-agent@sha256:abc');
});
