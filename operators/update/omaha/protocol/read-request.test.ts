import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { readRequest } from './read-request.ts';
import { RequestError, type RequestErrorCode } from './request-error.ts';
import { app, CHECK, event, MACHINE, PING, previous, request } from '../testing/sample-requests.ts';

const read = (text: string) => readRequest(Buffer.from(text));
const readApp = (text: string) => read(request(text)).apps[0];

function refusal(body: string | Uint8Array): RequestErrorCode {
  try {
    readRequest(typeof body === 'string' ? Buffer.from(body) : body);
  } catch (error) {
    if (error instanceof RequestError) return error.code;
    throw error;
  }
  throw new Error('was accepted');
}

describe('a request', () => {
  it('of update_engine is read whole', () => {
    const { protocol, version, installSource, os, apps } = read(request(app(PING + CHECK + previous(''))));
    assert.deepEqual(
      [protocol, version, installSource, os?.sp],
      ['3.0', 'update_engine-0.4.10', 'scheduler', '4081.2.0_x86_64'],
    );
    assert.deepEqual(apps, [
      {
        appID: '{e96281a6-d1af-4bde-9a0a-97b76e56dc57}',
        version: '1.0.0',
        track: 'stable',
        board: 'amd64-usr',
        bootID: '{6f3c6ad3-0f5e-4b5c-9a69-0b7a0c3c2f11}',
        machineID: MACHINE,
        machineAlias: 'edge-17',
        oem: 'azure',
        oemVersion: '2.9',
        alephVersion: '1.0.0',
        multiManifestOk: false,
        ping: true,
        updateCheck: true,
        events: [{ type: 3, result: 2, errorCode: undefined, previousVersion: '', nextVersion: undefined }],
      },
    ]);
  });

  it('that is not well-formed is refused (V04)', () => {
    const broken = [
      '',
      '<request><app',
      '<request>',
      '<request><app machineid= broken></app></request>',
      'x',
    ];
    for (const body of broken) assert.equal(refusal(body), 'Malformed', body);
  });

  it('has the root element request, in lower case (V05)', () => {
    assert.equal(refusal('<response protocol="3.0"></response>'), 'NotARequest');
    assert.equal(refusal('<Request protocol="3.0"></Request>'), 'NotARequest');
  });

  it('is UTF-8, with or without a byte order mark (V06)', () => {
    assert.equal(read(`\uFEFF${request(app(PING))}`).apps.length, 1);
    for (const name of ['ISO-8859-1', 'UTF-16']) {
      assert.equal(refusal(`<?xml version="1.0" encoding="${name}"?><request/>`), 'Encoding');
    }
    assert.equal(refusal(Buffer.from('<request a="\xE4"/>', 'latin1')), 'Encoding');
  });

  it('may hold elements and attributes that nobody knows, namespaces, and anything after its end (V07)', () => {
    const odd = `<request protocol="3.0" xmlns="urn:x" new="1"><hw physmemory="1"/><app appid="a" zz="1"><ping/><data>x</data></app></request>`;
    for (const tail of ['', ' garbage < & >', '<request/>']) {
      const { apps } = read(odd + tail);
      assert.deepEqual([apps.length, apps[0]?.ping, apps[0]?.updateCheck], [1, true, false]);
    }
    assert.equal(read('<o:request xmlns:o="urn:x"><o:app appid="b"/></o:request>').apps[0]?.appID, 'b');
  });

  it('that gives an attribute twice means the last one (V08)', () => {
    assert.equal(read('<request><app appid="a" appid="b"/></request>').apps[0]?.appID, 'b');
  });

  it("knows XML's own entities and no others (V09)", () => {
    assert.equal(readApp(app(PING, { machineid: '&lt;&amp;&quot;' }))?.machineID, '<&"');
    assert.equal(refusal(request(app(PING, { machineid: '&nbsp;' }))), 'Malformed');
    const external = '<!DOCTYPE request [<!ENTITY x SYSTEM "file:///etc/passwd">]>';
    assert.equal(refusal(`${external}<request><app appid="&x;"/></request>`), 'Malformed');
    assert.equal(read(`${external}<request><app appid="a"/></request>`).apps.length, 1);
  });

  it('is not dropped for an attribute that cannot be read (V10)', () => {
    const odd = readApp(
      app('<ping active="yes"/><ping active=""/><event eventtype="abc" eventresult="1" errorcode="boom"/>', {
        delta_okay: 'maybe',
        multi_manifest_ok: '',
      }),
    );
    assert.equal(odd?.ping, true);
    assert.deepEqual(
      [odd?.events[0]?.type, odd?.events[0]?.errorCode, odd?.multiManifestOk],
      [undefined, undefined, false],
    );
  });

  it('may write a code of 32 bits as a negative number (V11)', () => {
    assert.equal(readApp(app(event(3, 0, -2_147_483_643)))?.events[0]?.errorCode, -2_147_483_643);
  });

  it('may have no app, or a hundred (V14)', () => {
    assert.deepEqual(read('<request protocol="3.0"/>').apps, []);
    assert.equal(read(request(app(PING).repeat(100))).apps.length, 100);
  });

  it('is bounded in apps, events, elements, attributes and depth', () => {
    assert.equal(refusal(request('<app/>'.repeat(129))), 'TooComplex');
    assert.equal(refusal(request(app(event(3, 1).repeat(17)))), 'TooComplex');
    assert.equal(refusal(request('<x/>'.repeat(3000))), 'TooComplex');
    assert.equal(refusal(request('<x>'.repeat(20))), 'TooComplex');
    const many = Array.from({ length: 65 }, (_, index) => `a${index}=""`).join(' ');
    assert.equal(refusal(request(`<app ${many}/>`)), 'TooComplex');
    assert.equal(refusal(request(`<app appid="${'a'.repeat(1025)}"/>`)), 'TooComplex');
  });

  it('is read or refused, whatever the bytes are', () => {
    const part = fc.constantFrom(...PARTS);
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(part, { maxLength: 60 }).map((parts) => Buffer.from(parts.join(''))),
    );
    fc.assert(
      fc.property(body, (bytes) => {
        try {
          const { apps } = readRequest(bytes);
          assert.ok(apps.length <= 128);
        } catch (error) {
          assert.ok(error instanceof RequestError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

const PARTS = [
  '<?xml version="1.0"?>',
  '<request protocol="3.0">',
  '</request>',
  '<app appid="a"',
  ' machineid="&amp;"',
  '>',
  '/>',
  '</app>',
  '<ping active="1"/>',
  '<updatecheck/>',
  '<event eventtype="3" eventresult="2"/>',
  '<!DOCTYPE a [<!ENTITY a "b">]>',
  '<![CDATA[',
  ']]>',
  '<!--',
  '-->',
  '&a;',
  '&#0;',
  '"',
  "'",
  '<',
  '\u0000',
  '\uD800',
  ' ',
];
