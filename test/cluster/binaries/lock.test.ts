import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { guarded, guardedDirectory } from '../guardian.ts';
import { withLock } from './lock.ts';

test('work under one lock does not overlap, and the lock is gone afterwards', async (t) => {
  const lock = await newLock(t);
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await new Promise(setImmediate);
    inside--;
  };
  await Promise.all(Array.from({ length: 5 }, () => withLock(lock, work, { pollMs: 2 })));
  assert.equal(most, 1);
  assert.equal(existsSync(lock), false);
});

test('a failure releases the lock and reaches the caller', async (t) => {
  const lock = await newLock(t);
  await assert.rejects(
    withLock(lock, () => Promise.reject(new Error('broken'))),
    /broken/,
  );
  assert.equal(existsSync(lock), false);
});

test('the lock of a process that has ended is broken at once', async (t) => {
  const lock = await newLock(t);
  const child = await guarded('/bin/true', []);
  await child.exited;
  await heldBy(lock, `${child.pid} ${hostname()}`);
  assert.equal(await withLock(lock, () => Promise.resolve('in'), { pollMs: 2 }), 'in');
});

test('a lock whose owner lives is waited for, and the user is told whose it is', async (t) => {
  const lock = await newLock(t);
  const child = await guarded('/bin/sleep', ['1000']);
  await heldBy(lock, `${child.pid} ${hostname()}`);
  const told: string[] = [];
  const waiting = (owner: string) => {
    told.push(owner);
    void child.kill();
  };
  await withLock(lock, () => Promise.resolve(), { pollMs: 2, waiting });
  assert.deepEqual(told, [`${child.pid} ${hostname()}`]);
});

test("another machine's lock is broken after a minute without a sign of life", async (t) => {
  const lock = await newLock(t);
  await heldBy(lock, '1 some-other-machine');
  const before = new Date(Date.now() - 61_000);
  await utimes(lock, before, before);
  assert.equal(await withLock(lock, () => Promise.resolve('in'), { pollMs: 2 }), 'in');
});

async function newLock(t: TestContext): Promise<string> {
  const { path: directory, remove } = await guardedDirectory('careen-lock-');
  t.after(remove);
  return path.join(directory, 'lock');
}

async function heldBy(lock: string, owner: string): Promise<void> {
  await mkdir(lock);
  await writeFile(path.join(lock, 'owner'), owner);
}
