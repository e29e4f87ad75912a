import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { compareVersions } from '#api/version.ts';
import { readXml } from '#test/omaha/wire/read-xml.ts';
import { checkRequest } from './check-request.ts';
import { mergeReleases } from './merge-releases.ts';
import { waitMs } from './next-check.ts';
import { readAnswer, type OfferedRelease } from './read-answer.ts';
import { UpstreamError } from './upstream-error.ts';

const sha256 = `${'A'.repeat(43)}=`;
const source = {
  url: 'http://up/',
  appID: '{e96281a6-d1af-4bde-9a0a-97b76e56dc57}',
  track: 'stable',
  architectures: ['amd64' as const],
  pollInterval: '45m',
};

const manifest = (version: string, flags = '', size = '10') =>
  `<manifest version="${version}"${flags}><packages><package name="u.gz" hash="${'A'.repeat(27)}=" size="${size}" required="true"/>` +
  `<package name="oem.gz" hash_sha256="${'00'.repeat(32)}" size="7" required="false"/></packages>` +
  `<actions><action event="postinstall" sha256="${sha256}"/></actions></manifest>`;
const answer = (check: string, inner: string) =>
  Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>\n<response protocol="3.0"><app appid="x" status="ok">` +
      `<updatecheck ${check}><urls><url codebase="http://up/4/"/></urls>${inner}</updatecheck></app></response>`,
  );
const code = (body: Buffer) => {
  try {
    readAnswer(body, 'amd64');
  } catch (error) {
    assert.ok(error instanceof UpstreamError);
    return error.code;
  }
  return 'taken';
};

const ask = (architecture: 'amd64' | 'arm64') => {
  const text = checkRequest({ source, architecture, version: '1.0.0', uid: 'u' });
  return readXml(text).children.find(({ name }) => name === 'app')?.attributes;
};

describe('a check', () => {
  it('names a machine that no machine is, the same each time, another for each architecture', () => {
    const [app, arm] = [ask('amd64'), ask('arm64')];
    assert.match(
      app?.get('machineid') ?? '',
      /^\{[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}\}$/,
    );
    assert.equal(app?.get('machineid'), ask('amd64')?.get('machineid'));
    assert.notEqual(app?.get('machineid'), arm?.get('machineid'));
    assert.deepEqual([app?.get('board'), arm?.get('board')], ['amd64-usr', 'arm64-usr']);
    assert.equal(app?.get('multi_manifest_ok'), 'true');
  });
});

describe('an answer', () => {
  it('is read with floors and target, digests in either spelling', () => {
    const floors =
      manifest('2.0.0', ' is_floor="true" floor_reason="layout"') + manifest('3.0.0', ' is_target="true"');
    const { offered, isComplete, pollInterval } = readAnswer(
      answer('status="ok" PollInterval="3600"', floors),
      'arm64',
    );
    assert.deepEqual(
      offered.map(({ version, floor, floorReason }) => [version, floor, floorReason]),
      [
        ['2.0.0', true, 'layout'],
        ['3.0.0', false, undefined],
      ],
    );
    assert.deepEqual([isComplete, pollInterval], [true, 3600]);
    assert.equal(offered[0]?.build.architecture, 'arm64');
    assert.deepEqual(
      offered[0]?.build.packages.map((file) => [file.name, file.sha256, file.required]),
      [
        ['u.gz', sha256, true],
        ['oem.gz', sha256, false],
      ],
    );
  });

  it('of floors only has more to come; without flags the one manifest is the target', () => {
    assert.equal(
      readAnswer(answer('status="ok"', manifest('2.0.0', ' is_floor="true"')), 'amd64').isComplete,
      false,
    );
    assert.equal(readAnswer(answer('status="ok"', manifest('2.0.0')), 'amd64').isComplete, true);
    assert.deepEqual(readAnswer(answer('status="noupdate"', ''), 'amd64').offered, []);
  });

  it('that is odd is refused with what is wrong, as a whole', () => {
    assert.equal(code(Buffer.alloc(0)), 'Malformed');
    assert.equal(code(Buffer.from('<html><body>hello</body></html>')), 'Malformed');
    assert.equal(code(answer('status="error-internal"', '')), 'Refused');
    assert.equal(code(answer('status="ok"', '')), 'Unusable');
    assert.equal(code(answer('status="ok"', manifest('2.0.0') + manifest('not a version'))), 'Unusable');
    assert.equal(code(answer('status="ok"', manifest('2.0.0', '', '0'))), 'Unusable');
    assert.equal(code(answer('status="ok"', manifest('2.0.0').replace('u.gz', '../u.gz'))), 'Unusable');
    assert.equal(code(answer('status="ok"', manifest('2.0.0').replaceAll(sha256, ''))), 'Unusable');
    assert.equal(
      code(Buffer.from(answer('status="ok"', manifest('2.0.0')).toString().replace('http://up', 'ftp://up'))),
      'Unusable',
    );
  });

  it('of any bytes is read or refused', () => {
    const whole = answer('status="ok"', manifest('2.0.0'));
    const cut = fc.nat(whole.length).map((end) => whole.subarray(0, end));
    const changed = fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, byte]) => {
      const copy = Buffer.from(whole);
      copy.writeUInt8(byte, at);
      return copy;
    });
    const any = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(fc.oneof(cut, changed, any), (body) => void code(body)),
      { numRuns: 3000 },
    );
  });
});

const offer = (version: string, floor = false): OfferedRelease => ({
  version,
  floor,
  floorReason: undefined,
  build: { architecture: 'amd64', codebases: ['http://up/'], packages: [] },
});

describe('known releases', () => {
  it('keep their first time, gain what is new, and stay floors', () => {
    const first = mergeReleases([], [offer('1.0.0', true)], 'then');
    const second = mergeReleases(first, [offer('1.0.0'), offer('2.0.0')], 'now');
    assert.deepEqual(
      second.map(({ version, floor, since }) => [version, floor, since]),
      [
        ['2.0.0', false, 'now'],
        ['1.0.0', true, 'then'],
      ],
    );
  });

  it('are never more than 64, newest first, and lose floors last', () => {
    const offers = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 500 }), fc.boolean()), {
      selector: ([major]) => major,
      maxLength: 120,
    });
    fc.assert(
      fc.property(offers, (parts) => {
        const offered = parts.map(([major, floor]) => offer(`${major}.0.0`, floor));
        const releases = mergeReleases([], offered, 'now');
        assert.equal(releases.length, Math.min(64, parts.length));
        assert.ok(
          releases.every(
            ({ version }, at) => at === 0 || compareVersions(releases[at - 1]?.version ?? '', version) > 0,
          ),
        );
        const floors = parts.filter(([, floor]) => floor).length;
        assert.ok(releases.filter(({ floor }) => floor).length >= Math.min(floors, 63));
      }),
    );
  });
});

it('the next check keeps to the interval, to what the server asks for, and backs off to four hours', () => {
  const intervalMs = 45 * 60_000;
  const wait = (pollInterval: number, failures: number, random = 0.5) =>
    waitMs({ intervalMs, pollInterval, failures, random }) / 60_000;
  assert.deepEqual(
    [wait(0, 0), wait(0, 0, 0), wait(60, 0), wait(7200, 0), wait(86_400, 0)],
    [45, 40, 45, 120, 240],
  );
  assert.deepEqual(
    [1, 2, 3, 50].map((failures) => wait(0, failures)),
    [90, 180, 240, 240],
  );
});
