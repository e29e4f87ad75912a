import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { newSeed, seedOf } from './seed.ts';

test('where continuous integration runs, every run has the same seed', () => {
  assert.equal(seedOf({ CI: 'true' }), seedOf({ CI: '1' }));
  assert.equal(typeof seedOf({ CI: 'true' }), 'number');
});

test('elsewhere every run chooses anew', () => {
  assert.equal(seedOf({}), undefined);
  assert.equal(seedOf({ CI: '' }), undefined);
  assert.equal(seedOf({ CI: 'false', CAREEN_SEED: '' }), undefined);
});

test('a seed that is asked for counts, in continuous integration too', () => {
  assert.equal(seedOf({ CAREEN_SEED: '-12' }), -12);
  assert.equal(seedOf({ CAREEN_SEED: '42', CI: 'true' }), 42);
});

test('a new seed is one that can be asked for', () => {
  const seed = newSeed();
  assert.equal(seedOf({ CAREEN_SEED: String(seed) }), seed);
});

test('what is no seed is refused', () => {
  for (const CAREEN_SEED of ['x', '1.5', '4294967296', 'NaN']) {
    assert.throws(() => seedOf({ CAREEN_SEED }), /CAREEN_SEED is/);
  }
});

test('properties are tested with the seed of the run', async () => {
  const program = `const { readConfigureGlobal } = await import('fast-check');
    console.log(readConfigureGlobal().seed)`;
  const preload = import.meta.resolve('./seed-properties.ts');
  const args = ['--import', preload, '--input-type=module', '--eval', program];
  const run = promisify(execFile);
  const seedWith = async (env: Record<string, string>) =>
    (await run(process.execPath, args, { cwd: import.meta.dirname, env })).stdout.trim();
  assert.equal(await seedWith({ CAREEN_SEED: '42' }), '42');
  assert.equal(await seedWith({}), 'undefined');
});
