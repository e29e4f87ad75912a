import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { importConfig } from './import-config.ts';
import { read, refusals } from './testing/read.ts';

const document = (rest: object, version = '3.4.0') =>
  JSON.stringify({ ignition: { version }, ...rest }, null, 2);
const files = (...list: object[]) => document({ storage: { files: list } });
const file = (contents: object, more: object = {}) => files({ path: '/etc/a', contents, ...more });
const contentOf = (text: string) => {
  const [only] = read(text).files ?? [];
  return only?.contents ?? only?.contentsBase64;
};

test('a service that starts at boot', () => {
  const unit = {
    name: 'hello.service',
    enabled: true,
    contents:
      '[Service]\nType=oneshot\nExecStart=/usr/bin/echo hello\n\n[Install]\nWantedBy=multi-user.target\n',
  };
  assert.deepEqual(read(document({ systemd: { units: [unit] } }, '3.0.0')), { units: [unit] });
});

test('a drop-in for a unit of the distribution', () => {
  const dropin = { name: '20-debug.conf', contents: '[Service]\nEnvironment=SYSTEMD_LOG_LEVEL=debug\n' };
  assert.deepEqual(
    read(document({ systemd: { units: [{ name: 'systemd-journald.service', dropins: [dropin] }] } })),
    {
      units: [{ name: 'systemd-journald.service', dropins: [dropin] }],
    },
  );
});

test('files with their owners, in the modes that JSON writes in decimal (A9)', () => {
  const text = files(
    { path: '/etc/hosts.allow', mode: 420, contents: { source: 'data:,sshd%3A%20ALL%0A' }, user: { id: 0 } },
    {
      path: '/opt/bin/tool',
      mode: 493,
      contents: { source: 'data:;base64,AAECAw==' },
      group: { name: 'adm' },
    },
    { path: '/opt/bin/su', mode: 2541, overwrite: true, contents: { source: 'data:,x' } },
  );
  assert.deepEqual(read(text).files, [
    { path: '/etc/hosts.allow', contents: 'sshd: ALL\n', mode: '0644', user: '0' },
    { path: '/opt/bin/tool', contentsBase64: 'AAECAw==', mode: '0755', group: 'adm' },
    { path: '/opt/bin/su', contents: 'x', mode: '4755', allowSpecialBits: true },
  ]);
});

test('a mode that was meant in octal is refused with the number to write (A9)', () => {
  assert.deepEqual(refusals(file({ source: 'data:,' }, { mode: 644 })), [
    ['storage.files[0].mode', 'is decimal and means 1204 in octal; write 420 for 0644'],
  ]);
  for (const mode of ['0644', 420.5, -1, 4096]) {
    assert.equal(refusals(file({ source: 'data:,' }, { mode })).length, 1, String(mode));
  }
});

test('directories and links', () => {
  const text = document({
    storage: {
      directories: [{ path: '/opt/tools', mode: 488, user: { name: 'core' } }],
      links: [{ path: '/etc/localtime', target: '../usr/share/zoneinfo/Europe/Paris', overwrite: true }],
    },
  });
  assert.deepEqual(read(text), {
    directories: [{ path: '/opt/tools', mode: '0750', user: 'core' }],
    links: [{ path: '/etc/localtime', target: '../usr/share/zoneinfo/Europe/Paris' }],
  });
});

test('who may log in, and what the kernel is told', () => {
  const key = `ssh-ed25519 ${'A'.repeat(68)} me@example.org`;
  const text = document({
    passwd: { users: [{ name: 'core', sshAuthorizedKeys: [key, key] }] },
    kernelArguments: { shouldExist: ['hugepagesz=1G hugepages=4', 'quiet'], shouldNotExist: ['rhgb'] },
  });
  assert.deepEqual(read(text), {
    sshAuthorizedKeys: [{ user: 'core', keys: [key] }],
    kernelArguments: { add: ['hugepagesz=1G', 'hugepages=4', 'quiet'], remove: ['rhgb'] },
  });
});

test('data URLs: percent-encoded, base64, with a media type, gzip', () => {
  const gzip = gzipSync('packed').toString('base64');
  assert.equal(contentOf(file({ source: 'data:text/plain;charset=utf-8,a%20%F0%9F%90%9A%0A' })), 'a 🐚\n');
  assert.equal(contentOf(file({ source: 'data:text/plain;base64,aGVsbG8' })), 'hello');
  assert.equal(contentOf(file({ source: `data:;base64,${gzip}`, compression: 'gzip' })), 'packed');
  assert.equal(contentOf(file({ source: 'data:,' })), '');
});

test('what is taken for a value of a node is none', () => {
  assert.equal(contentOf(file({ source: 'data:,${node.name}' })), '$${node.name}');
});

const hash = (kind: string) => `${kind}-${createHash(kind).update('packed').digest('hex')}`;

test('a content that is not what its hash says is refused', () => {
  const packed = `data:;base64,${gzipSync('packed').toString('base64')}`;
  for (const kind of ['sha256', 'sha512']) {
    const good = { source: packed, compression: 'gzip', verification: { hash: hash(kind) } };
    assert.equal(contentOf(file(good)), 'packed');
    const bad = refusals(file({ source: 'data:,other', verification: { hash: hash(kind) } }));
    assert.deepEqual(
      bad.map(([what]) => what),
      ['storage.files[0].contents.verification.hash'],
    );
  }
  assert.equal(refusals(file({ source: 'data:,x', verification: { hash: 'md5-00' } })).length, 1);
});

test('what goes beyond day 2 is refused by name and line, all at once', () => {
  const text = `{
  "ignition": {
    "version": "3.6.0",
    "config": { "merge": [{ "source": "https://example.org/base.ign" }] },
    "security": { "tls": { "certificateAuthorities": [{ "source": "data:,x" }] } }
  },
  "storage": {
    "disks": [{ "device": "/dev/sda" }],
    "raid": [{ "name": "md0" }],
    "filesystems": [{ "device": "/dev/md0" }],
    "luks": [{ "name": "root" }],
    "files": [
      { "path": "/etc/a", "contents": { "source": "https://example.org/a" } },
      { "path": "/etc/b", "append": [{ "source": "data:,b" }], "contents": { "source": "data:,b" } },
      { "path": "/etc/c", "mode": 420 },
      { "path": "/etc/fine", "contents": { "source": "data:,fine" } }
    ],
    "links": [{ "path": "/etc/d", "target": "/etc/e", "hard": true }]
  },
  "passwd": {
    "groups": [{ "name": "x" }],
    "users": [{ "name": "core", "passwordHash": "$y$x", "shell": "/bin/zsh" }]
  }
}`;
  const { objects, refused } = importConfig(text);
  assert.deepEqual(
    refused.map(({ line, what }) => [line, what]),
    [
      [4, 'ignition.config'],
      [5, 'ignition.security'],
      [8, 'storage.disks'],
      [9, 'storage.raid'],
      [10, 'storage.filesystems'],
      [11, 'storage.luks'],
      [13, 'storage.files[0].contents.source'],
      [14, 'storage.files[1].append'],
      [15, 'storage.files[2]'],
      [18, 'storage.links[0].hard'],
      [21, 'passwd.groups'],
      [22, 'passwd.users[0].passwordHash'],
      [22, 'passwd.users[0].shell'],
    ],
  );
  assert.deepEqual(
    objects.map(({ spec }) => 'files' in spec && spec.files),
    [[{ path: '/etc/fine', contents: 'fine' }]],
  );
});

test('a version that is not read is refused, and nothing is guessed of it', () => {
  for (const version of ['2.3.0', '3.7.0-experimental', '3.7.0', '4.0.0', '']) {
    const text = document({ systemd: { units: [{ name: 'a.service', mask: true }] } }, version);
    assert.deepEqual(importConfig(text).objects, []);
    assert.equal(refusals(text).length, 1);
  }
});

test('every version from 3.0.0 to 3.6.0 is read', () => {
  for (const version of ['3.0.0', '3.1.0', '3.2.0', '3.3.0', '3.4.0', '3.5.0', '3.6.0']) {
    assert.deepEqual(read(document({ systemd: { units: [{ name: 'a.service', mask: true }] } }, version)), {
      units: [{ name: 'a.service', mask: true }],
    });
  }
});

test('a masked unit that also has contents is masked and no more (A13)', () => {
  const unit = { name: 'a.service', mask: true, enabled: true, contents: '[Unit]', dropins: [] };
  assert.deepEqual(read(document({ systemd: { units: [unit] } })), {
    units: [{ name: 'a.service', mask: true }],
  });
});

test('sections that are null or empty ask for nothing', () => {
  const empty = { storage: { disks: [], luks: null, files: null }, passwd: {}, systemd: { units: [] } };
  assert.deepEqual(importConfig(document(empty)), { objects: [], refused: [] });
});

test('paths that lead elsewhere are refused (A8)', () => {
  for (const path of [
    '/etc/../root/x',
    '//etc/x',
    '/etc/x/',
    'etc/x',
    '/etc/./x',
    '/etc/x\u0000',
    '/etc/ｐasswd',
    '/e'.repeat(600),
  ]) {
    const text = files({ path, contents: { source: 'data:,' } });
    assert.deepEqual(
      refusals(text).map(([what]) => what),
      ['storage.files[0]'],
      path,
    );
  }
});
