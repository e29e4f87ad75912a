import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Version } from '@cyclonedx/cyclonedx-library/Spec';
import { JsonStrictValidator } from '@cyclonedx/cyclonedx-library/Validation';
import { billOfMaterials, type ImageContents } from './bill-of-materials.ts';

const sha256 = 'a'.repeat(64);
const npm = (name: string, licence: string) => ({ name, version: '1.0.0', licence, licenceFile: undefined });
const contents: ImageContents = {
  name: 'careen-agent',
  version: '0.1.0',
  digest: `sha256:${sha256}`,
  programs: [{ name: 'agent.mjs', sha256 }],
  node: { version: '26.1.0', parts: [['openssl', '3.5.8']] },
  debian: [
    {
      name: 'libgcc-s1',
      version: '12.2.0-14',
      sha256,
      licence: 'GPL-3.0-or-later WITH GCC-exception-3.1',
      distribution: 'debian-12',
      files: [],
      file: '',
    },
  ],
  npm: [npm('@scope/a', 'MIT'), npm('b', 'NOASSERTION'), npm('c', '(MIT OR Apache-2.0)')],
};

test('a bill keeps to the schema of CycloneDX 1.6', async () => {
  const document = JSON.stringify(billOfMaterials(contents));
  assert.equal(await new JsonStrictValidator(Version.v1dot6).validate(document), null);
});

test('the validator refuses a licence that SPDX does not have', async () => {
  const wrong = { ...contents, npm: [npm('a', 'My-Own-Licence')] };
  const document = JSON.stringify(billOfMaterials(wrong));
  assert.notEqual(await new JsonStrictValidator(Version.v1dot6).validate(document), null);
});

test('the image is made of all that is listed, and is known by its digest', () => {
  const { metadata, components, dependencies } = billOfMaterials(contents);
  assert.equal(metadata.component.hashes?.[0]?.content, sha256);
  assert.deepEqual(dependencies, [
    { ref: metadata.component['bom-ref'], dependsOn: components.map((part) => part['bom-ref']) },
  ]);
  assert.deepEqual(
    components.map(({ name }) => name),
    ['agent.mjs', 'node', 'libgcc-s1', '@scope/a', 'b', 'c'],
  );
});

test('what is linked into Node is listed within it', () => {
  const node = billOfMaterials(contents).components.find(({ name }) => name === 'node');
  assert.deepEqual(
    node?.components?.map(({ purl }) => purl),
    ['pkg:generic/openssl@3.5.8'],
  );
});

test('a licence is an identifier, an expression, or a mere name', () => {
  const { components } = billOfMaterials(contents);
  const licence = (name: string) => components.find((part) => part.name === name)?.licenses?.[0];
  assert.deepEqual(licence('@scope/a'), { license: { id: 'MIT' } });
  assert.deepEqual(licence('b'), { license: { name: 'NOASSERTION' } });
  assert.deepEqual(licence('c'), { expression: '(MIT OR Apache-2.0)' });
});
