import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pseudoFiles } from './pseudo-files.ts';

const tree = new Set(['lib', 'lib/os-release', 'lib/systemd', 'lib/systemd/systemd']);
const exists = (path: string): boolean => tree.has(path);

test('a file that the tree has is left out of it and written anew', () => {
  const { definitions, excluded, contents } = pseudoFiles(
    [{ path: 'lib/os-release', text: 'ID=x\n' }],
    exists,
  );
  assert.deepEqual(excluded, ['lib/os-release']);
  assert.deepEqual(definitions, ['"lib/os-release" f 644 0 0 cat 0']);
  assert.deepEqual(contents, ['ID=x\n']);
});

test('a new file brings the directories that it needs, outer ones first', () => {
  const { definitions, excluded } = pseudoFiles(
    [{ path: 'lib/a/b/program', text: '#!/bin/sh\n', mode: 0o755 }],
    exists,
  );
  assert.deepEqual(excluded, []);
  assert.deepEqual(definitions, [
    '"lib/a" d 755 0 0',
    '"lib/a/b" d 755 0 0',
    '"lib/a/b/program" f 755 0 0 cat 0',
  ]);
});

test('a link replaces, and what is absent is only left out', () => {
  const changes = [
    { path: 'lib/systemd/systemd', link: '/dev/null' },
    { path: 'lib/os-release', absent: true },
  ] as const;
  const { definitions, excluded } = pseudoFiles(changes, exists);
  assert.deepEqual(definitions, ['"lib/systemd/systemd" s 777 0 0 /dev/null']);
  assert.deepEqual(excluded, ['lib/systemd/systemd', 'lib/os-release']);
});

test('the last change of a path is the one that counts', () => {
  const path = 'lib/systemd/systemd';
  const { definitions, excluded, contents } = pseudoFiles(
    [
      { path, absent: true },
      { path, text: 'x' },
    ],
    exists,
  );
  assert.deepEqual([definitions.length, excluded, contents], [1, [path], ['x']]);
  assert.deepEqual(
    pseudoFiles(
      [
        { path, text: 'x' },
        { path, absent: true },
      ],
      exists,
    ).definitions,
    [],
  );
});
