import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { guarded, guardedCleanup, guardedDirectory } from './guardian.ts';
import { isRunning } from './running.ts';
import { until } from './until.ts';

test('gives the exit status and output of the command, and passes arguments untouched', async () => {
  const child = await guarded('/bin/sh', ['-c', 'printf "%s|" "$@"; exit 7', 'sh', 'a b', '$HOME', "it's"], {
    stdout: 'pipe',
  });
  const [output, status] = await Promise.all([text(child.stdout!), child.exited]);
  assert.equal(output, "a b|$HOME|it's|");
  assert.equal(status, 7);
  assert.equal(child.running, false);
});

test('a command that does not exist exits with 127', async () => {
  const child = await guarded('/no/such/program', []);
  assert.equal(await child.exited, 127);
});

test('stop lets the command end by itself within the grace', async () => {
  const child = await guarded(
    '/bin/sh',
    ['-c', 'trap "exit 3" TERM; echo up; while :; do sleep 0.05; done'],
    { stdout: 'pipe', graceMs: 60_000 },
  );
  await new Promise((resolve) => child.stdout!.once('data', resolve)); // the trap is set
  assert.equal(await child.stop(), 3);
});

test('a command that ignores TERM is killed after the grace, with its own children', async () => {
  const child = await guarded('/bin/sh', ['-c', 'trap "" TERM; sleep 1000 & echo $!; wait; sleep 1000'], {
    stdout: 'pipe',
    graceMs: 200,
  });
  const grandchild = Number(String(await new Promise((resolve) => child.stdout!.once('data', resolve))));
  assert.ok(isRunning(grandchild));
  assert.equal(await child.stop(), 137);
  await until('the grandchild has ended', () => !isRunning(grandchild));
});

test('signals reach the command: stopped, continued, killed', async () => {
  const child = await guarded('/bin/sleep', ['1000']);
  child.signal('SIGSTOP');
  await until('it is stopped', async () => (await state(child.pid)) === 'T');
  child.signal('SIGCONT');
  await until('it goes on', async () => (await state(child.pid)) === 'S');
  assert.equal(await child.kill(), 137);
});

test('a cleanup waits for the processes within it', async () => {
  const directory = await guardedDirectory('careen-guardian-');
  const child = await guarded('/bin/sleep', ['1000'], { within: directory.cleanup, graceMs: 0 });
  const removed = directory.cleanup.run();
  assert.equal(
    await Promise.race([removed, new Promise((resolve) => setTimeout(resolve, 200, 'waits'))]),
    'waits',
  );
  assert.ok(existsSync(directory.path));
  await child.stop();
  await removed;
  assert.equal(existsSync(directory.path), false);
});

test('a cancelled cleanup is not run', async () => {
  const directory = await guardedDirectory('careen-guardian-');
  const witness = path.join(directory.path, 'witness');
  await guardedCleanup('touch -- "$1"', [witness]).cancel();
  assert.equal(existsSync(witness), false);
  await guardedCleanup('touch -- "$1"', [witness]).run();
  assert.equal(existsSync(witness), true);
  await directory.remove();
});

test('a cleanup finds its programs even where the path of the parent is empty', async (t) => {
  const path = process.env['PATH'];
  t.after(() => (process.env['PATH'] = path));
  process.env['PATH'] = '/nowhere';
  const directory = await guardedDirectory('careen-guardian-');
  await directory.remove();
  assert.equal(existsSync(directory.path), false);
});

test('nothing is left when the parent is killed with SIGKILL', async () => {
  const { parent, report } = await orphanMaker();
  assert.ok(report.pids.every(isRunning));
  assert.ok(existsSync(report.directory));
  process.kill(parent, 'SIGKILL');
  await until('all processes have ended', () => !report.pids.some(isRunning));
  await until('the directory is gone', () => !existsSync(report.directory));
});

/** A program that guards three processes (one of which ignores TERM) and a directory that they fill. */
async function orphanMaker(): Promise<{ parent: number; report: { pids: number[]; directory: string } }> {
  const program = `
    import { guarded, guardedDirectory } from ${JSON.stringify(new URL('guardian.ts', import.meta.url).href)};
    const directory = await guardedDirectory('careen-orphan-');
    const options = { within: directory.cleanup, graceMs: 300 };
    const busy = 'trap "" TERM; i=0; while :; do i=$((i+1)); mkdir -p "$1/$i"; done';
    const children = await Promise.all([
      guarded('/bin/sleep', ['1000'], options),
      guarded('/bin/sleep', ['1001'], options),
      guarded('/bin/sh', ['-c', busy, 'sh', directory.path], options),
    ]);
    console.log(JSON.stringify({ pids: children.map((child) => child.pid), directory: directory.path }));
  `;
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve) => {
    parent.stdout.once('data', (chunk: Buffer) => resolve(String(chunk)));
  });
  return { parent: parent.pid!, report: JSON.parse(line) as { pids: number[]; directory: string } };
}

async function state(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
}
