import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { pathFault } from './host-path.ts';

test('a path that is not the one plain way to write it is refused (A8)', () => {
  const crooked = [
    '',
    '/',
    'etc/motd',
    '/etc/../root/.ssh/authorized_keys',
    '/etc/..',
    '/etc//motd',
    '//etc/motd',
    '/etc/motd/',
    '/etc/./motd',
    '/etc/mo\0td',
    '/etc/mo\ntd',
    '/etc/m\u043etd', // a Cyrillic o
    '\uff0fetc/motd', // a full-width slash
    '/etc/\u2024\u2024/root', // two one-dot leaders
    `/etc/${'a'.repeat(256)}`,
    `/etc${'/abcdefg'.repeat(600)}`,
  ];
  for (const path of crooked) assert.notEqual(pathFault(path), undefined, JSON.stringify(path));
});

test('plain paths are taken, with dots, blanks and escapes of systemd in their names', () => {
  for (const path of [
    '/etc/motd',
    '/etc/.hidden',
    '/etc/a..b',
    '/etc/...',
    String.raw`/etc/dev-\x2d.swap`,
    '/etc/a b',
  ])
    assert.equal(pathFault(path), undefined, path);
});

test('whatever is taken means the same to everybody who normalises it (A8)', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('/', '.', 'a', '..', '//', 'é', '\0', ' ')), (parts) => {
      const path = `/${parts.join('')}`;
      if (pathFault(path) === undefined) assert.equal(posix.resolve('/else/where', path), path);
    }),
    { numRuns: 2000 },
  );
});
