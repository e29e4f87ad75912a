import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Imported before a program (`--import`), kills it before its n-th change to a file system, n from KILL_AT, counted
 * from the moment that `globalThis.countWrites` is true.
 */
const killAt = Number(process.env['KILL_AT']);
let count = 0;

function step(): void {
  if (!(globalThis as { countWrites?: boolean }).countWrites) return;
  if (++count === killAt) process.kill(process.pid, 'SIGKILL');
}

type Changing = 'rename' | 'rm' | 'link' | 'copyFile' | 'writeFile' | 'mkdir' | 'open';
const changing: Changing[] = ['rename', 'rm', 'link', 'copyFile', 'writeFile', 'mkdir', 'open'];
for (const name of changing)
  wrap(promises as unknown as Record<string, (...args: unknown[]) => unknown>, name);
for (const name of ['write', 'writev', 'open']) {
  wrap(fs as unknown as Record<string, (...args: unknown[]) => unknown>, name);
}
syncBuiltinESMExports();

function wrap(module: Record<string, (...args: unknown[]) => unknown>, name: string): void {
  const original = module[name];
  if (original === undefined) throw new Error(`fs has no ${name}`);
  module[name] = (...args) => {
    step();
    return original(...args);
  };
}
