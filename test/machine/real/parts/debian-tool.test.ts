import assert from 'node:assert/strict';
import { test } from 'node:test';
import { debianTool, findDebianTool } from './debian-tool.ts';

test('a tool that is missing says which package to install', async () => {
  await assert.rejects(findDebianTool('mmdebstrap', '/nowhere'), {
    code: 'NotPossible',
    message: "mmdebstrap is missing: install Debian's package mmdebstrap",
  });
  await assert.rejects(findDebianTool('mksquashfs', '/nowhere:'), /Debian's package squashfs-tools/);
});

test('a tool that fails says why', async () => {
  await assert.rejects(debianTool('tar', ['--extract', '--file=/nowhere.tar']), {
    code: 'ToolFailed',
    message: /tar failed \(2\):\n.*nowhere\.tar.*No such file/,
  });
});

test('a tool that succeeds says nothing', async () => {
  assert.equal(await debianTool('tar', ['--version']), undefined);
});
