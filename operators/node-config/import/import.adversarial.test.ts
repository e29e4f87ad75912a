import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { nodeConfigSpec } from '#api/node-config.ts';
import { FORMATS } from './format.ts';
import { importConfig } from './import-config.ts';
import { refusals } from './testing/read.ts';

const ignition = (contents: object) =>
  JSON.stringify({
    ignition: { version: '3.4.0' },
    storage: { files: [{ path: '/etc/a', contents }] },
  });

test('a gzip bomb is refused before it is unpacked (A25)', () => {
  const bomb = gzipSync(Buffer.alloc(256 * 1024 * 1024)).toString('base64');
  const before = process.memoryUsage().arrayBuffers;
  const found = refusals(ignition({ source: `data:;base64,${bomb}`, compression: 'gzip' }));
  assert.deepEqual(
    found.map(([what]) => what),
    ['storage.files[0].contents.source'],
  );
  assert.ok(process.memoryUsage().arrayBuffers - before < 64 * 1024 * 1024);
});

test('a gzip that is damaged, torn, or none is refused', () => {
  const whole = gzipSync('x'.repeat(1000));
  for (const bytes of [Buffer.from('none'), whole.subarray(0, whole.length - 5), Buffer.alloc(0)]) {
    const source = `data:;base64,${bytes.toString('base64')}`;
    assert.equal(refusals(ignition({ source, compression: 'gzip' })).length, 1);
  }
});

test('a data URL of many megabytes is refused (A25)', () => {
  assert.match(
    refusals(ignition({ source: `data:,${'a'.repeat(2_000_000)}` }))[0]?.[1] ?? '',
    /more than 393216 bytes/,
  );
  assert.deepEqual(refusals(ignition({ source: `data:,${'a'.repeat(9_000_000)}` })), [
    ['document', 'longer than 8388608 characters; give less at once'],
  ]);
});

test('more files than a NodeConfig holds are refused (A25)', () => {
  const files = Array.from({ length: 512 }, (_, index) => ({
    path: `/etc/${index}`,
    contents: { source: 'data:,' },
  }));
  const { objects, refused } = importConfig(
    JSON.stringify({ ignition: { version: '3.0.0' }, storage: { files } }),
  );
  assert.deepEqual(objects, []);
  assert.equal(refused.length, 1);
});

test('a path that is given twice is refused', () => {
  const file = { path: '/etc/a', contents: { source: 'data:,' } };
  const text = JSON.stringify({ ignition: { version: '3.0.0' }, storage: { files: [file, file] } });
  assert.deepEqual(importConfig(text).objects, []);
  assert.equal(refusals(text).length, 1);
});

test('aliases that multiply are refused after a while', () => {
  const lists = Array.from(
    { length: 8 },
    (_, index) => `l${index + 1}: &l${index + 1} [${`*l${index},`.repeat(20)}]`,
  );
  const text = `l0: &l0 {path: /etc/a, contents: {inline: x}}\n${lists.join('\n')}\nvariant: fcos\nversion: 1.5.0\nstorage: {files: *l8}\n`;
  assert.ok(refusals(text).length > 0);
});

test('what is nested without end, torn, binary or empty is refused and never throws', () => {
  for (const text of [
    '['.repeat(100_000),
    '{"ignition"',
    '\0\0\0',
    '',
    '---\n---\n',
    'null',
    '[]',
    '*a',
    'a: *b',
    '? [a]\n: b',
  ]) {
    for (const format of FORMATS) {
      const { objects } = importConfig(text, { format });
      assert.deepEqual(objects, []);
    }
  }
});

test('whatever is in a document, the import says what it takes and the API accepts that', () => {
  const leaf = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom('/etc/a', 'a.service', 'data:,x', 420),
  );
  const some = fc.oneof(
    leaf,
    fc.array(leaf, { maxLength: 2 }),
    fc.dictionary(fc.string(), leaf, { maxKeys: 2 }),
  );
  const maybe = (inner: fc.Arbitrary<unknown>) =>
    fc.oneof({ weight: 5, arbitrary: inner }, { weight: 1, arbitrary: some });
  const record = (fields: Record<string, fc.Arbitrary<unknown>>) =>
    maybe(fc.record(fields, { requiredKeys: [] }));
  const listOf = (inner: fc.Arbitrary<unknown>) => maybe(fc.array(inner, { maxLength: 3 }));
  const item = {
    path: maybe(fc.constantFrom('/etc/a', '/etc/b', '/x')),
    mode: some,
    overwrite: some,
    user: record({ id: some, name: some }),
  };
  const document = record({
    ignition: fc.constant({ version: '3.4.0' }),
    storage: record({
      files: listOf(
        record({
          ...item,
          contents: record({ source: maybe(fc.constant('data:,y')), compression: some }),
          append: some,
        }),
      ),
      directories: listOf(record(item)),
      links: listOf(record({ ...item, target: some, hard: some })),
      disks: some,
    }),
    systemd: record({
      units: listOf(
        record({
          name: maybe(fc.constantFrom('a.service', 'b.timer')),
          enabled: some,
          mask: some,
          contents: some,
          dropins: listOf(record({ name: maybe(fc.constant('a.conf')), contents: some })),
        }),
      ),
    }),
    passwd: record({ users: listOf(record({ name: some, sshAuthorizedKeys: some, uid: some })) }),
    kernelArguments: record({ shouldExist: some, shouldNotExist: some }),
  });
  fc.assert(
    fc.property(document, (value) => {
      const text = JSON.stringify(value);
      const { objects, refused } = importConfig(text, { format: 'ignition' });
      for (const { spec } of objects) assert.ok(nodeConfigSpec.safeParse(spec).success);
      for (const { line, what, message } of refused) assert.ok(line >= 1 && what !== '' && message !== '');
    }),
    { numRuns: 1000 },
  );
});
