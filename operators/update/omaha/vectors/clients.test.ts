import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { FIRST_CHECK, fuzzed, nextCheck } from '#test/omaha/client/schedule.ts';
import { exitFlags, httpExitCode, wireCode } from '#test/omaha/wire/exit-code.ts';
import { readResponse } from '#test/omaha/wire/read-response.ts';
import { readXml } from '#test/omaha/wire/read-xml.ts';
import { writeRequest, type Identity, type Purpose } from '#test/omaha/wire/request.ts';
import type { UpstreamErrorCode } from '#api/update-channel.ts';
import { checkRequest } from '../../channel/upstream/check-request.ts';
import { waitMs } from '../../channel/upstream/next-check.ts';
import { readAnswer } from '../../channel/upstream/read-answer.ts';
import { UpstreamError } from '../../channel/upstream/upstream-error.ts';
import { readRequest } from '../protocol/read-request.ts';

/**
 * The vectors that speak of clients, for both that we have: the machines of `test/omaha`, which are as update_engine is,
 * and the poller of upstream servers, which takes nothing that is odd. See also clients.integration.test.ts.
 */

const SHA256 = 'EqYfThc/s6EcBdZHH3Ryj3YjG0pfzZZnzvOvh6OuTcI=';
const HEX = Buffer.from(SHA256, 'base64').toString('hex');

interface Parts {
  check?: string;
  codebase?: string;
  file?: string;
  action?: string;
  head?: string;
}

function manifest(version: string, flags = '', { file, action }: Parts = {}): string {
  const payload = file ?? `name="u.gz" hash="${'A'.repeat(27)}=" size="8" required="true"`;
  const actions = action ?? `<action event="postinstall" sha256="${SHA256}"/>`;
  return `<manifest version="${version}"${flags}><packages><package ${payload}/></packages><actions>${actions}</actions></manifest>`;
}

function answer(
  manifests: string,
  { check = 'status="ok"', codebase = 'http://up/4/', head = '' }: Parts = {},
): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<response protocol="3.0">${head}<app appid="x" status="ok">` +
    `<updatecheck ${check}><urls><url codebase="${codebase}"/></urls>${manifests}</updatecheck></app></response>`
  );
}

const polled = (text: string) => readAnswer(Buffer.from(text), 'amd64');

function refused(text: string): UpstreamErrorCode | 'taken' {
  try {
    polled(text);
    return 'taken';
  } catch (error) {
    assert.ok(error instanceof UpstreamError, String(error));
    return error.code;
  }
}

/** What a machine and the poller make of the same answer. */
function outcomes(text: string): [number, string] {
  return [readResponse(text).exitCode, refused(text)];
}

const sized = (size: string) => `name="u.gz" hash_sha256="${HEX}" size="${size}" required="true"`;
const GOOD = answer(manifest('2.0.0'));

describe('an answer', () => {
  it('V37, V81: of one manifest without flags is the target', () => {
    const { offered, isComplete } = polled(GOOD);
    assert.deepEqual(
      [offered.map(({ version, floor }) => [version, floor]), isComplete],
      [[['2.0.0', false]], true],
    );
  });

  it('V37, V81: of several manifests without flags is complete, and the last is the newest', () => {
    const { offered, isComplete } = polled(answer(manifest('2.0.0') + manifest('3.0.0')));
    assert.deepEqual([offered.at(-1)?.version, isComplete], ['3.0.0', true]);
  });

  it('V37, V81: of floors and a target has both, also where the target is a floor itself', () => {
    const floor = ' is_floor="true" floor_reason="layout"';
    const { offered } = polled(
      answer(manifest('2.0.0', floor) + manifest('3.0.0', `${floor} is_target="true"`)),
    );
    assert.deepEqual(
      offered.map(({ version, floor: isFloor, floorReason }) => [version, isFloor, floorReason]),
      [
        ['2.0.0', true, 'layout'],
        ['3.0.0', true, 'layout'],
      ],
    );
  });

  it('V81: that names its target offers nothing beyond it, wherever it stands', () => {
    const { offered, isComplete } = polled(
      answer(manifest('2.0.0', ' is_target="true"') + manifest('3.0.0')),
    );
    assert.deepEqual([offered.map(({ version }) => version), isComplete], [['2.0.0'], true]);
  });

  it('V81: of floors alone has more to come', () => {
    assert.equal(polled(answer(manifest('2.0.0', ' is_floor="true"'))).isComplete, false);
  });

  it('V81: without the digest that the action has, or without a manifest, is refused', () => {
    assert.equal(refused(answer(manifest('2.0.0', '', { action: '' }))), 'Unusable');
    assert.equal(refused(answer('')), 'Unusable');
  });

  it('V63: of noupdate is a success without an update', () => {
    const text = answer('', { check: 'status="noupdate"' });
    assert.deepEqual([readResponse(text), polled(text).offered], [{ exitCode: 0, pollInterval: 0 }, []]);
  });

  it('V64: is read in all its fields', () => {
    const action = `<action event="postinstall" sha256="${SHA256}" MaxFailureCountPerUrl="3" DisablePayloadBackoff="true"/>`;
    const text = answer(manifest('2.0.0', '', { action }), { check: 'status="ok" PollInterval="3600"' });
    const { update, pollInterval } = readResponse(text);
    assert.deepEqual(
      [update?.version, update?.urls, update?.size, update?.sha256, update?.maxFailureCountPerUrl],
      ['2.0.0', ['http://up/4/u.gz'], 8, SHA256, 3],
    );
    assert.deepEqual(
      [update?.disablePayloadBackoff, update?.isDeltaPayload, pollInterval],
      [true, false, 3600],
    );
    const [release] = polled(text).offered;
    assert.deepEqual(
      [
        release?.version,
        release?.build.codebases,
        release?.build.packages[0]?.size,
        release?.build.packages[0]?.sha256,
      ],
      ['2.0.0', ['http://up/4/'], 8, SHA256],
    );
  });

  it('V65, V66: that is no XML is code 31, and an empty one code 30', () => {
    assert.deepEqual(outcomes('invalid xml>'), [31, 'Malformed']);
    assert.deepEqual(outcomes('<response><app>'), [31, 'Malformed']);
    assert.deepEqual(outcomes(''), [30, 'Malformed']);
  });

  it('V67: without a status, with an unknown one, or without a check is code 34', () => {
    assert.deepEqual(outcomes(answer(manifest('2.0.0'), { check: '' })), [34, 'Refused']);
    assert.deepEqual(outcomes(answer(manifest('2.0.0'), { check: 'status="foo"' })), [34, 'Refused']);
    assert.deepEqual(outcomes('<response protocol="3.0"><app appid="x"/></response>'), [34, 'Malformed']);
  });

  it('V68: that lacks a field of the package is code 34', () => {
    const files = ['size="8"', 'name="" size="8"', 'name="u.gz"', 'name="u.gz" size="0"'];
    for (const file of files)
      assert.deepEqual(outcomes(answer(manifest('2.0.0', '', { file }))), [34, 'Unusable'], file);
    assert.equal(readResponse(answer(manifest('2.0.0'), { codebase: '' })).exitCode, 34);
    assert.equal(refused(answer(manifest('2.0.0'), { codebase: '' })), 'Unusable');
  });

  it('V69: gives one slash between codebase and name, however the codebase ends', () => {
    for (const codebase of ['http://up/4', 'http://up/4/'])
      assert.deepEqual(readResponse(answer(manifest('2.0.0'), { codebase })).update?.urls, [
        'http://up/4/u.gz',
      ]);
  });

  it('V70: is read with its references resolved', () => {
    const file = `name="a&amp;b&#x2d;c.gz" hash_sha256="${HEX}" size="8" required="true"`;
    const codebase = 'http://up/?a=1&amp;b=&lt;2&gt;';
    const { update } = readResponse(answer(manifest('2.0.0', '', { file }), { codebase }));
    assert.deepEqual(update?.urls, ['http://up/?a=1&b=<2>/a&b-c.gz']);
    assert.deepEqual(polled(answer(manifest('2.0.0'), { codebase })).offered[0]?.build.codebases, [
      'http://up/?a=1&b=<2>',
    ]);
  });

  it('V71: may name a size beyond 32 bits', () => {
    assert.equal(
      readResponse(answer(manifest('2.0.0', '', { file: sized('123123123123123') }))).update?.size,
      123123123123123,
    );
    // The poller takes what may be mirrored, which is no more than 64 GiB.
    assert.equal(
      polled(answer(manifest('2.0.0', '', { file: sized('5000000000') }))).offered[0]?.build.packages[0]
        ?.size,
      5e9,
    );
    assert.equal(refused(answer(manifest('2.0.0', '', { file: sized('123123123123123') }))), 'Unusable');
  });

  it('V72: is taken whatever daystart says', () => {
    for (const head of ['', '<daystart/>', '<daystart elapsed_seconds="garbage"/>'])
      assert.deepEqual(outcomes(answer(manifest('2.0.0'), { head })), [0, 'taken'], head);
  });
});

it('V73: an HTTP status is code 2000 more, and one that is none 2999', () => {
  assert.deepEqual([httpExitCode(501), httpExitCode(1500), httpExitCode(0)], [2501, 2999, 2000]);
  assert.equal(wireCode(httpExitCode(501), exitFlags.TestOmahaUrl), 268_437_957);
});

const identity: Identity = {
  appID: '{e96281a6-d1af-4bde-9a0a-97b76e56dc57}',
  version: '1.0.0',
  track: 'stable',
  machineID: '1d0c0000000000000000000000000000',
  machineAlias: '',
  bootID: '{6f3c0000-0000-0000-0000-000000000000}',
  oem: '',
  oemVersion: '',
  alephVersion: '1.0.0',
  board: 'amd64-usr',
  architecture: 'x86_64',
};

const written = (purpose: Purpose) => writeRequest('update_engine', identity, purpose).body;

function sourceOf(interactive: boolean): string | undefined {
  const event = { type: 3, result: 2 };
  return readRequest(Buffer.from(written({ kind: 'check', interactive, event }))).installSource;
}

describe('a request', () => {
  it('V37: of the poller says that it takes several manifests, and the server reads that', () => {
    const appID = identity.appID;
    const source = {
      url: 'http://up/',
      appID,
      track: 'stable',
      architectures: ['amd64' as const],
      pollInterval: '45m',
    };
    const body = checkRequest({ source, architecture: 'amd64', version: '1.0.0', uid: 'u' });
    assert.equal(readRequest(Buffer.from(body)).apps[0]?.multiManifestOk, true);
    const check = { kind: 'check', interactive: false, event: { type: 3, result: 2 } } as const;
    assert.equal(readRequest(Buffer.from(written(check))).apps[0]?.multiManifestOk, false);
  });

  it('V74: of an event has neither ping nor check, and an error its code', () => {
    for (const event of [
      { type: 13, result: 1 },
      { type: 3, result: 0, errorCode: 268_435_490 },
    ]) {
      const app = readRequest(Buffer.from(written({ kind: 'event', event }))).apps[0];
      assert.deepEqual([app?.ping, app?.updateCheck, app?.events.length], [false, false, 1]);
      assert.equal(app?.events[0]?.errorCode, 'errorCode' in event ? event.errorCode : undefined);
    }
  });

  it('V75: of a ping says that the machine is active, and nothing else', () => {
    const app = readXml(written({ kind: 'ping' })).children.find(({ name }) => name === 'app');
    assert.deepEqual(
      app?.children.map(({ name, attributes }) => [name, [...attributes]]),
      [['ping', [['active', '1']]]],
    );
  });

  it('V76: says whether a person asked for it', () => {
    assert.deepEqual([sourceOf(true), sourceOf(false)], ['ondemandupdate', 'scheduler']);
  });
});

const minutes = (ms: number) => ms / 60_000;

describe('the next check', () => {
  it('V79: is 45 minutes away, and no more than five of them more or less', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(random, (drawn) => {
        const ofMachine = minutes(
          fuzzed(nextCheck({ intervalMs: 0, pollInterval: 0, httpStatus: 200 }), drawn),
        );
        const ofPoller = minutes(
          waitMs({ intervalMs: 45 * 60_000, pollInterval: 0, failures: 0, random: drawn }),
        );
        for (const wait of [ofMachine, ofPoller]) assert.ok(wait >= 40 && wait <= 50, String(wait));
        const first = minutes(fuzzed(FIRST_CHECK, drawn));
        assert.ok(first >= 2 && first <= 12, String(first));
      }),
    );
  });
});
