import fs from 'node:fs';
import promises from 'node:fs/promises';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Imported before a program (`--import`), kills it before its n-th change to a file system, n from KILL_AT, counted
 * from the moment that `globalThis.countWrites` is true; with KILL_BEFORE=requests before its n-th request to a bucket.
 */
const killAt = Number(process.env['KILL_AT']);
let count = 0;

function step(): void {
  if (!(globalThis as { countWrites?: boolean }).countWrites) return;
  if (++count === killAt) process.kill(process.pid, 'SIGKILL');
}

type Changing = 'rename' | 'rm' | 'link' | 'copyFile' | 'writeFile' | 'mkdir' | 'open';
const changing: Changing[] = ['rename', 'rm', 'link', 'copyFile', 'writeFile', 'mkdir', 'open'];
if (process.env['KILL_BEFORE'] === 'requests') wrapAll(http, ['request']);
else {
  wrapAll(promises, changing);
  wrapAll(fs, ['write', 'writev', 'open']);
}
syncBuiltinESMExports();

function wrapAll(module: object, names: readonly string[]): void {
  for (const name of names) wrap(module as Record<string, (...args: unknown[]) => unknown>, name);
}

function wrap(module: Record<string, (...args: unknown[]) => unknown>, name: string): void {
  const original = module[name];
  if (original === undefined) throw new Error(`fs has no ${name}`);
  module[name] = (...args) => {
    step();
    return original(...args);
  };
}
