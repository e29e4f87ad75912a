import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { exitFlags, httpExitCode, wireCode } from './exit-code.ts';
import { readResponse } from './read-response.ts';
import { readXml, XmlError } from './read-xml.ts';
import { dialects, writeRequest, type Identity } from './request.ts';

const identity: Identity = {
  appID: '{e96281a6-d1af-4bde-9a0a-97b76e56dc57}',
  version: '4081.2.0',
  track: 'stable',
  machineID: '1d0c0000000000000000000000000000',
  machineAlias: 'edge-17',
  bootID: '{6f3c0000-0000-0000-0000-000000000000}',
  oem: 'azure',
  oemVersion: '2.9',
  alephVersion: '3975.2.0',
  board: 'amd64-usr',
  architecture: 'x86_64',
};

describe('requests', () => {
  it('of update_engine have its order, its indents and its blanks', () => {
    const event = { type: 3, result: 2, previousVersion: '' };
    const { body, contentType } = writeRequest('update_engine', identity, {
      kind: 'check',
      interactive: false,
      event,
    });
    assert.equal(contentType, 'text/xml');
    assert.equal(
      body,
      `<?xml version="1.0" encoding="UTF-8"?>
<request protocol="3.0" version="update_engine-0.4.10" updaterversion="update_engine-0.4.10" installsource="scheduler" ismachine="1">
    <os version="Chateau" platform="CoreOS" sp="4081.2.0_x86_64"></os>
    <app appid="{e96281a6-d1af-4bde-9a0a-97b76e56dc57}" version="4081.2.0" track="stable" bootid="{6f3c0000-0000-0000-0000-000000000000}" oem="azure" oemversion="2.9" alephversion="3975.2.0" machineid="1d0c0000000000000000000000000000" machinealias="edge-17" lang="en-US" board="amd64-usr" hardware_class="" delta_okay="false" >
        <ping active="1"></ping>
        <updatecheck></updatecheck>
        <event eventtype="3" eventresult="2" previousversion=""></event>
    </app>
</request>
`,
    );
  });

  it('of an event hold nothing but the event, and of a ping nothing but the ping', () => {
    const event = { type: 3, result: 0, errorCode: 268437959 };
    const told = writeRequest('update_engine', identity, { kind: 'event', event }).body;
    assert.match(told, /<event eventtype="3" eventresult="0" errorcode="268437959"><\/event>/);
    assert.doesNotMatch(told, /ping|updatecheck/);
    const ping = writeRequest('update_engine', identity, { kind: 'ping' }).body;
    assert.match(ping, /<ping active="1"><\/ping>/);
    assert.doesNotMatch(ping, /event |updatecheck/);
  });

  it('of update_engine break at a quotation mark, as they do in the field', () => {
    const broken = { ...identity, machineAlias: 'the "big" one' };
    const { body } = writeRequest('update_engine', broken, { kind: 'ping' });
    assert.throws(() => readXml(body), XmlError);
    const { body: mended } = writeRequest('go-omaha', broken, { kind: 'ping' });
    assert.equal(readXml(mended).name, 'request');
  });

  it('of go-omaha and ue-rs are on one line', () => {
    const event = { type: 3, result: 2, previousVersion: '1.0.0' };
    const check = { kind: 'check', interactive: true, event } as const;
    const go = writeRequest('go-omaha', identity, check).body;
    assert.match(
      go,
      /<ping active="1"><\/ping><updatecheck><\/updatecheck><event eventtype="3" eventresult="2"><\/event>/,
    );
    assert.match(go, /<request protocol="3.0" sessionid="[^"]+" userid="[^"]+" version="go-omaha">/);
    const rust = writeRequest('ue-rs', identity, check);
    assert.match(rust.body, /^<request .*installsource="ondemand" .*<updatecheck\/><\/app><\/request>$/);
    assert.equal(rust.contentType, undefined);
  });

  it('are well-formed in every dialect, whatever a machine is called', () => {
    const word = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/["\p{Cc}]/gu, ''));
    fc.assert(
      fc.property(word, word, fc.constantFrom(...dialects), (oem, track, dialect) => {
        const event = { type: 13, result: 1 };
        const { body } = writeRequest(dialect, { ...identity, oem, track }, { kind: 'event', event });
        const app = readXml(body).children.find(({ name }) => name === 'app');
        const empty = dialect === 'go-omaha' && track === '' ? undefined : track;
        assert.equal(app?.attributes.get('track'), empty);
      }),
    );
  });
});

const update = (check = 'status="ok"', rest = '', xmlns = '') => `<?xml version="1.0"?>
<response protocol="3.0"${xmlns}><daystart elapsed_seconds="garbage"/><app appid="x" status="ok"><updatecheck ${check}>
<urls><url codebase="http://a/b"/><url codebase="http://c/"/></urls><manifest version="2.0.0"><packages>
<package name="u&amp;p.gz" hash="h" size="123123123123123" required="true"/></packages>
<actions><action event="install"/><action event="postinstall" sha256="abc=" ${rest}/></actions></manifest>
</updatecheck></app></response>`;

describe('answers', () => {
  it('are read as update_engine reads them', () => {
    const answer = readResponse(update('status="ok" PollInterval="3600"', 'MaxFailureCountPerUrl="3"'));
    assert.equal(answer.pollInterval, 3600);
    assert.deepEqual(answer.update?.urls, ['http://a/b/u&p.gz', 'http://c/u&p.gz']);
    assert.equal(answer.update?.size, 123123123123123);
    assert.equal(answer.update?.maxFailureCountPerUrl, 3);
  });

  it('without update are no error', () => {
    const text =
      '<response><app><updatecheck status="noupdate" PollInterval="60"><urls></urls></updatecheck></app></response>';
    assert.deepEqual(readResponse(text), { exitCode: 0, pollInterval: 60 });
  });

  it('that are wrong have the code that update_engine reports', () => {
    assert.equal(readResponse('').exitCode, 30);
    assert.equal(readResponse('<?xml version="1.0" encoding="UTF-8"?>\n').exitCode, 31);
    assert.equal(readResponse('<response><app>').exitCode, 31);
    assert.equal(readResponse('<response/>').exitCode, 34);
    assert.equal(readResponse(update('')).exitCode, 34);
    assert.equal(readResponse(update('status="error-internal"')).exitCode, 34);
    assert.equal(readResponse(update().replace('size="123123123123123"', 'size="0"')).exitCode, 34);
    assert.equal(readResponse(update().replace('sha256="abc="', '')).exitCode, 34);
    assert.equal(readResponse(update().replace('codebase="http://a/b"', 'codebase=""')).exitCode, 34);
    assert.equal(readResponse(update('status="ok"', '', ' xmlns="urn:x"')).exitCode, 34);
  });

  it('of any kind end in a code', () => {
    fc.assert(fc.property(fc.string(), (text) => readResponse(text).exitCode >= 30));
    const cut = fc.nat(update().length - 1).map((length) => update().slice(0, length));
    fc.assert(fc.property(cut, (text) => readResponse(text).exitCode >= 30));
  });
});

it('codes carry their flags, as an int of 32 bits', () => {
  assert.equal(wireCode(httpExitCode(503), exitFlags.TestOmahaUrl), 268437959);
  assert.equal(wireCode(34, exitFlags.TestOmahaUrl), 268435490);
  assert.equal(wireCode(5, exitFlags.DevMode), -2147483643);
  assert.equal(httpExitCode(1500), 2999);
});
