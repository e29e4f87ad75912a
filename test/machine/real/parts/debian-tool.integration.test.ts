import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { debianTool, findDebianTool } from './debian-tool.ts';

const possible = process.getuid?.() === 0 && (await findDebianTool('busybox').catch(() => undefined));
const options = possible ? {} : { skip: 'needs root and busybox' };

test('what a tool has mounted is seen by nobody else, and gone with it', options, async (t) => {
  const { path: directory, remove } = await guardedDirectory('careen-debian-tool-');
  t.after(remove);
  const script = 'busybox mount -t tmpfs none "$1" && echo hidden >"$1/file" && test -e "$1/file"';
  await debianTool('busybox', ['sh', '-c', script, 'sh', directory], { ownMounts: true });
  assert.equal((await readFile('/proc/self/mounts', 'utf8')).includes(directory), false);
  assert.equal(existsSync(path.join(directory, 'file')), false);
});
