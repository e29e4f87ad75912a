import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AppAnswer } from './response.ts';
import { writeResponse } from './write-response.ts';

const HEAD =
  '<?xml version="1.0" encoding="UTF-8"?>\n<response protocol="3.0" server="careen"><daystart elapsed_seconds="0"></daystart>';
const FLATCAR = '{e96281a6-d1af-4bde-9a0a-97b76e56dc57}';

const answer = (changes: Partial<AppAnswer>) =>
  writeResponse({ apps: [{ appID: FLATCAR, status: 'ok', ping: false, events: 0, ...changes }] });

describe('a response', () => {
  it('with an update is written as the clients of the field read it', () => {
    const text = answer({
      ping: true,
      events: 1,
      updateCheck: {
        status: 'ok',
        codebases: ['https://mirror.example/amd64-usr/4081.2.1/'],
        manifests: [
          {
            version: '4081.2.1',
            sha256: 'EqYfThc/s6EcBdZHH3Ryj3YjG0pfzZZnzvOvh6OuTcI=',
            disablePayloadBackoff: true,
            packages: [
              {
                name: 'flatcar_production_update.gz',
                sha1: 'mAFznarkTsUpPU4fU9P00tQm2Rw=',
                sha256: undefined,
                size: 123_123_123_123_123,
                required: true,
              },
              {
                name: 'oem-azure.gz',
                sha1: '2jmj7l5rSw0yVb/vlWAYkK/YBwk=',
                sha256: 'ab'.repeat(32),
                size: 7,
                required: false,
              },
            ],
          },
        ],
      },
    });
    assert.equal(
      text,
      `${HEAD}<app appid="${FLATCAR}" status="ok"><ping status="ok"></ping><updatecheck status="ok"><urls><url codebase="https://mirror.example/amd64-usr/4081.2.1/"></url></urls><manifest version="4081.2.1"><packages><package name="flatcar_production_update.gz" hash="mAFznarkTsUpPU4fU9P00tQm2Rw=" size="123123123123123" required="true"></package><package name="oem-azure.gz" hash="2jmj7l5rSw0yVb/vlWAYkK/YBwk=" hash_sha256="${'ab'.repeat(32)}" size="7" required="false"></package></packages><actions><action event="postinstall" sha256="EqYfThc/s6EcBdZHH3Ryj3YjG0pfzZZnzvOvh6OuTcI=" DisablePayloadBackoff="true"></action></actions></manifest></updatecheck><event status="ok"></event></app></response>`,
    );
  });

  it('without an update has an empty urls element all the same, and may say when to ask again', () => {
    const noupdate = { status: 'noupdate' as const, codebases: [], manifests: [] };
    assert.equal(
      answer({ updateCheck: noupdate }),
      `${HEAD}<app appid="${FLATCAR}" status="ok"><updatecheck status="noupdate"><urls></urls></updatecheck></app></response>`,
    );
    assert.match(
      answer({ updateCheck: { ...noupdate, pollSeconds: 2700 } }),
      /<updatecheck PollInterval="2700" status="noupdate"><urls><\/urls>/,
    );
  });

  it('leaves an empty appid out, and repeats any other as it came, escaped', () => {
    assert.equal(answer({ appID: '' }), `${HEAD}<app status="ok"></app></response>`);
    assert.match(answer({ appID: `a"'<&>\n\u0001` }), /<app appid="a&#34;&#39;&lt;&amp;&gt;&#xA;\uFFFD" /);
  });

  it('without an app is a response all the same', () => {
    assert.equal(writeResponse({ apps: [] }), `${HEAD}</response>`);
  });

  it('to a mirror names floors and the target', () => {
    const step = { sha256: 's', disablePayloadBackoff: true, packages: [] };
    const text = answer({
      updateCheck: {
        status: 'ok',
        codebases: ['http://m/'],
        manifests: [
          { ...step, version: '2.0.0', isFloor: true, floorReason: 'moves the "loader"' },
          { ...step, version: '3.0.0', isTarget: true },
        ],
      },
    });
    assert.match(
      text,
      /<manifest version="2.0.0" is_floor="true" floor_reason="moves the &#34;loader&#34;">/,
    );
    assert.match(text, /<manifest version="3.0.0" is_target="true">/);
  });
});
