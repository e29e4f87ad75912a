import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { verify } from '#agent/payload/minisign.ts';

const directory = mkdtempSync(join(tmpdir(), 'careen-publish-'));
after(() => rmSync(directory, { recursive: true }));

function publish(...args: string[]) {
  const script = fileURLToPath(new URL('publish.ts', import.meta.url));
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', cwd: directory });
}

test('a person makes a key and publishes an image with it', () => {
  const made = publish('--generate-key', 'key');
  assert.equal(made.status, 0, made.stderr);
  assert.equal(statSync(join(directory, 'key')).mode & 0o777, 0o600);
  writeFileSync(join(directory, 'image'), 'an image');
  const done = publish('--image', 'image', '--version', '1.2.3', '--key', 'key', '--out', 'out');
  assert.equal(done.status, 0, done.stderr);
  const path = join(directory, 'out', '1.2.3', 'manifest.json');
  assert.equal(
    verify(readFileSync(path), readFileSync(`${path}.minisig`, 'utf8'), [made.stdout.trim()]),
    'version 1.2.3',
  );
});

test('a key is not overwritten, and what is missing or wrong is named', () => {
  writeFileSync(join(directory, 'taken'), 'x');
  assert.equal(publish('--generate-key', 'taken').status, 1);
  assert.equal(readFileSync(join(directory, 'taken'), 'utf8'), 'x');
  assert.match(publish('--image', 'image').stderr, /are needed/);
  assert.match(publish('--nonsense').stderr, /nonsense/);
  const wrong = publish('--image', 'image', '--version', '1.2.3', '--key', 'taken', '--out', 'out');
  assert.match(wrong.stderr, /not an unencrypted minisign secret key/);
});
