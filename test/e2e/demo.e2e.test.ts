import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { until } from '#test/cluster/until.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

function demo(args: readonly string[]) {
  const child = spawn(process.execPath, ['scripts/demo.ts', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  return { child, output: () => output };
}

/** Directories that stacks keep their things in, by who made them. */
async function directories(): Promise<Set<string>> {
  const names = await readdir(tmpdir());
  return new Set(names.filter((name) => name.startsWith('careen-')));
}

test('the demo tells its story to the end without a terminal and exits with 0', async (t) => {
  const { child, output } = demo(['--speed', '4']);
  const [code] = (await once(child, 'exit')) as [number | null];
  t.diagnostic(output());
  assert.equal(code, 0, output());
  assert.match(output(), /every machine runs 3\.0\.1; never more than 2 were unavailable at once/);
  assert.match(output(), /wall over ideal/);
});

test('a demo that is killed leaves no process and no directory behind', async () => {
  const before = await directories();
  const { child, output } = demo(['--nodes', '3', '--speed', '4']);
  await until('the rollout is under way', () => output().includes('2.0.0 is published'), {
    timeoutMs: 90_000,
  });
  const made = (await directories()).difference(before);
  assert.notEqual(made.size, 0);
  child.kill('SIGKILL');
  await until('everything it made is gone', async () => (await directories()).intersection(made).size === 0, {
    timeoutMs: 20_000,
  });
  assert.deepEqual(await processesNaming([...made]), []);
});

/** Command lines of running processes that name one of `words`. */
async function processesNaming(words: readonly string[]): Promise<string[]> {
  const ps = spawn('ps', ['-e', '-o', 'args='], { stdio: ['ignore', 'pipe', 'inherit'] });
  let lines = '';
  ps.stdout.setEncoding('utf8').on('data', (chunk: string) => (lines += chunk));
  await once(ps, 'close');
  return lines.split('\n').filter((line) => words.some((word) => line.includes(word)));
}
