import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { Claim } from './claim.ts';
import { RecordError } from './record-error.ts';

const PROGRAM = join(import.meta.dirname, 'testing/claim-process.ts');

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'careen-claim-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

test('a state directory is one process’s until it dies, however it dies', async () => {
  const other = spawn(process.execPath, [PROGRAM, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const claim = new Claim(directory);
  try {
    const [said] = (await once(other.stdout, 'data')) as [Buffer];
    assert.equal(said.toString(), 'true');
    assert.equal(await claim.take(), false);
    assert.equal(await claim.take(), false, 'asking again does not help');
  } finally {
    other.kill('SIGKILL');
    await once(other, 'exit');
  }
  assert.equal(await claim.take(), true);
  assert.equal(await claim.take(), true);
  assert.equal((await stat(join(directory, 'agent.lock'))).size, 0, 'nothing is ever written to it');
  claim.release();
});

test('two machines’ directories are claimed independently, and a released one can be taken again', async () => {
  const [one, another] = [new Claim(join(directory, 'one')), new Claim(join(directory, 'another'))];
  assert.deepEqual([await one.take(), await another.take()], [true, true]);
  one.release();
  another.release();
  assert.equal(await another.take(), true);
  another.release();
});

test('a directory that cannot be written is an error and not somebody else’s', async () => {
  await writeFile(join(directory, 'file'), '');
  await assert.rejects(
    new Claim(join(directory, 'file')).take(),
    (error) => error instanceof RecordError && error.code === 'Unwritable',
  );
});
