import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canonicalApp } from './app-id.ts';
import { architectureOf } from './architecture.ts';
import { decodeErrorCode, errorWords } from './error-code.ts';
import { eventWords } from './event-words.ts';
import { isSemanticVersion } from './semantic-version.ts';
import { trackName } from './track.ts';

describe('an error code', () => {
  it('is told from its flags', () => {
    assert.deepEqual(decodeErrorCode(268_437_959), {
      code: 2503,
      flags: 2 ** 28,
      name: 'HTTP 503',
      flagNames: ['TestOmahaUrl'],
    });
    assert.equal(decodeErrorCode(268_435_490).name, 'OmahaResponseInvalid');
    assert.deepEqual(decodeErrorCode(-2_147_483_643), {
      code: 5,
      flags: 2 ** 31,
      name: 'PostinstallRunnerError',
      flagNames: ['DevMode'],
    });
  });

  it('has a name up to the last one', () => {
    const names = [0, 34, 44, 100, 2999, 45, 3000].map((code) => errorWords(decodeErrorCode(code)));
    assert.deepEqual(names, [
      'Success (0)',
      'OmahaResponseInvalid (34)',
      'RollbackError (44)',
      'DownloadIncomplete (100)',
      'HTTP status unknown (2999)',
      'Unknown (45)',
      'Unknown (3000)',
    ]);
  });
});

describe('an event', () => {
  it('is told in words', () => {
    assert.equal(eventWords(13, 1), 'update download started: success');
    assert.equal(eventWords(800, undefined), 'installed, waits to be completed: not said');
    assert.equal(eventWords(77, 9), 'unknown (77): update deferred');
  });
});

describe('an application id', () => {
  it('matches with or without braces, in any case, with spaces around it (V16, V17)', () => {
    const plain = 'e96281a6-d1af-4bde-9a0a-97b76e56dc57';
    for (const written of [plain, `{${plain}}`, plain.toUpperCase(), ` {${plain}} `]) {
      assert.equal(canonicalApp(written), plain);
    }
    assert.equal(canonicalApp('io.example.App'), 'io.example.app');
  });
});

describe('a track', () => {
  it("may be one of the ids of Flatcar's first groups (V21)", () => {
    assert.equal(trackName('9a2deb70-37be-4026-853f-bfdd6b347bbe'), 'stable');
    assert.equal(trackName('{E641708D-FB48-4260-8BDF-BA2074A1147A}'), 'alpha');
    assert.equal(trackName('my-own'), 'my-own');
  });
});

const of = (board: string | undefined, arch: string | undefined) => architectureOf({ board }, { arch });

describe('an architecture', () => {
  it('is that of the board, else that of the system, else amd64 (V22)', () => {
    assert.equal(of('arm64-usr', 'x64'), 'arm64');
    assert.equal(of('amd64-usr', 'aarch64'), 'amd64');
    for (const [written, meant] of Object.entries({
      x64: 'amd64',
      arm: 'arm64',
      x86: 'x86',
      amd64: 'amd64',
      aarch64: 'arm64',
      all: 'all',
    })) {
      assert.equal(of(undefined, written), meant);
      assert.equal(of('sparc-usr', written), meant);
    }
    assert.equal(architectureOf({ board: 'unknown' }, undefined), 'amd64');
  });
});

describe('a version', () => {
  it('is semantic or none (V24)', () => {
    for (const good of ['1.0.0', '0.0.0', '4081.2.0+build.1', '2.0.0-rc.1', '2.0.0-rc.1+b']) {
      assert.ok(isSemanticVersion(good), good);
    }
    for (const bad of [
      'ForcedUpdate',
      '2000.0',
      '2000.0.0.0',
      '',
      '1.0.0-',
      '01.0.0',
      `1.0.0-${'a'.repeat(64)}`,
    ]) {
      assert.ok(!isSemanticVersion(bad), bad);
    }
    assert.ok(!isSemanticVersion(undefined));
  });
});
