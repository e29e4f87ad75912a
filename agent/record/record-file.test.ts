import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { RecordError } from './record-error.ts';
import { RecordFile } from './record-file.ts';
import { emptyRecord } from './record.ts';
import { failed, rolledBack } from './transitions.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'careen-record-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const code = (expected: string) => (error: unknown) =>
  error instanceof RecordError && error.code === expected;
const now = '2026-01-01T00:00:00.000Z';

test('what was written is read, and nothing else is left in the directory', async () => {
  const file = new RecordFile(join(directory, 'state'));
  assert.deepEqual(await file.read(), emptyRecord());
  const record = failed(
    emptyRecord(),
    { version: '2', attempt: 1 },
    { code: 'IoError', message: 'bad disk' },
    now,
  );
  await file.write(record);
  assert.deepEqual(await file.read(), record);
  assert.deepEqual(await readdir(join(directory, 'state')), ['agent.json']);
});

test('a file that was left by a power cut does not disturb', async () => {
  const file = new RecordFile(directory);
  await writeFile(`${file.path}.new`, '{"form');
  assert.deepEqual(await file.read(), emptyRecord());
  await file.write(emptyRecord());
  assert.deepEqual(await readdir(directory), ['agent.json']);
});

test('a record that cannot be read is refused and never taken for an empty one', async () => {
  const file = new RecordFile(directory);
  const broken = {
    '': 'Unreadable',
    '{"format":1': 'Unreadable',
    '{"format":1}': 'Unreadable',
    '{"format":2}': 'FormatUnknown',
    null: 'Unreadable',
  };
  for (const [text, expected] of Object.entries(broken)) {
    await writeFile(file.path, text);
    await assert.rejects(file.read(), code(expected), text);
  }
  await truncate(file.path, 2 ** 40);
  await assert.rejects(file.read(), code('Unreadable'), 'a terabyte is not read into memory');
});

test('a state directory that cannot be written is its own error', async () => {
  await writeFile(join(directory, 'file'), '');
  await assert.rejects(new RecordFile(join(directory, 'file')).write(emptyRecord()), code('Unwritable'));
});

test('history and quarantine stay within what the API server takes', () => {
  let record = emptyRecord();
  for (let version = 0; version < 50; version += 1) {
    record = rolledBack(
      record,
      { version: String(version), attempt: 1 },
      { code: 'BootFailed', message: '' },
      now,
    );
  }
  assert.equal(record.history.length, 20);
  assert.equal(record.quarantine.length, 16);
  assert.equal(record.quarantine[0]?.version, '49');
});
