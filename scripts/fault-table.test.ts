import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { faultTable, FAULTS } from './fault-table.ts';

const DOC = `Text.

| fault | tests |
| A1  | a kill   | old |
| A2 | nobody   | old |
`;
// In parts, or these would be tests of their own to whoever reads this file.
const SOURCE = [
  'test',
  "('x | y ${what} (A1)', () => {});\n",
  'test',
  "(\n  'both (A1, A9) here', { skip });\n",
].join('');

test('each fault is followed by the tests that have its number in their name, and by nothing old', async (context) => {
  const root = await mkdtemp(join(tmpdir(), 'careen-faults-'));
  context.after(() => rm(root, { recursive: true }));
  assert.equal(await faultTable(root), undefined);
  for (const folder of ['docs', 'a', 'node_modules/b']) await mkdir(join(root, folder), { recursive: true });
  await writeFile(join(root, FAULTS), DOC);
  await writeFile(join(root, 'a/x.test.ts'), SOURCE);
  await writeFile(join(root, 'node_modules/b/x.test.ts'), SOURCE);
  const rows = (await faultTable(root))?.split('\n').filter((line) => line.startsWith('| A'));
  const link = '([x.test.ts](../a/x.test.ts))';
  assert.deepEqual(rows, [
    `| A1 | a kill | x \\| y … ${link}<br>both here ${link} |`,
    '| A2 | nobody | no test yet |',
  ]);
});

test('no fault of a node’s configuration is without a test', async () => {
  const table = (await faultTable(join(import.meta.dirname, '..'))) ?? '';
  assert.match(table, /^\| A38 \|/m);
  assert.doesNotMatch(table, /no test yet/);
});
