import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { missingPackages } from './possible.ts';

const run = promisify(execFile);

test('somebody who is not root is told why there are no real nodes', { skip: notRoot() }, async () => {
  const module = new URL('possible.ts', import.meta.url).href;
  const script = `console.log(await (await import('${module}')).realNodesPossible())`;
  const nobody = `process.setuid(65534); ${script}`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', nobody]);
  assert.equal(stdout.trim(), 'they need root (sudo)');
});

test('what nodes and their parts are made with is named by its packages, compiler and libraries included', async () => {
  assert.deepEqual(await missingPackages('/nowhere'), [
    'mount',
    'util-linux',
    'iproute2',
    'e2fsprogs',
    'squashfs-tools',
    'mmdebstrap',
    'gcc',
    'pkg-config',
    'libc6-dev',
    'libseccomp-dev',
  ]);
});

function notRoot(): string | false {
  return process.geteuid?.() === 0 ? false : 'only root can become somebody else';
}
