import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { drift, generate } from './generate.ts';

let root: string;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'careen-generate-'));
});
after(() => rm(root, { recursive: true }));

test('what is committed is what api/ generates', async () => {
  assert.deepEqual(await drift(), [], 'run `npm run generate` and commit the result');
});

test('a changed, a missing and a foreign file are each named, and put right', async () => {
  assert.ok((await drift(root)).every((fault) => fault.endsWith(': missing')));
  await generate(root);
  assert.deepEqual(await drift(root), []);
  const changed = join(root, 'crds/nodegroups.careen.dev.yaml');
  await writeFile(changed, (await readFile(changed, 'utf8')).replace('maximum: 1000\n', 'maximum: 999\n'));
  await writeFile(join(root, 'crds/old.yaml'), '');
  await rm(join(root, 'docs/reference/reasons.md'));
  const faults = await drift(root);
  assert.equal(faults.length, 3);
  assert.equal(faults[0], 'crds/old.yaml: nothing generates it');
  assert.match(
    faults[1] ?? '',
    /^crds\/nodegroups\.careen\.dev\.yaml: line \d+ is\n +maximum: 999\n.*\n +maximum: 1000$/,
  );
  assert.equal(faults[2], 'docs/reference/reasons.md: missing');
  await generate(root);
  assert.deepEqual(await drift(root), []);
});
