import assert from 'node:assert/strict';
import { test } from 'node:test';
import { npmPackages, packageDirectory } from './npm-package.ts';

test('a file belongs to the innermost package around it', () => {
  assert.equal(packageDirectory('agent/main.ts'), undefined);
  assert.equal(packageDirectory('node_modules/yaml/dist/index.js'), 'node_modules/yaml');
  assert.equal(packageDirectory('node_modules/@a/b/c.js'), 'node_modules/@a/b');
  assert.equal(packageDirectory('node_modules/a/node_modules/@b/c/d.js'), 'node_modules/a/node_modules/@b/c');
});

test('a package is listed once, with the version and licence of what is installed', async () => {
  const packages = await npmPackages([
    'node_modules/zod/a.js',
    'node_modules/yaml/dist/b.js',
    'node_modules/yaml/dist/c.js',
    'agent/main.ts',
  ]);
  assert.deepEqual(
    packages.map(({ name, licence }) => [name, licence]),
    [
      ['yaml', 'ISC'],
      ['zod', 'MIT'],
    ],
  );
  assert.match(packages[0]?.version ?? '', /^\d+\.\d+\.\d+/);
  assert.match(packages[0]?.licenceFile ?? '', /yaml\/LICENSE$/);
});
