import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { parseNetworks } from '../serve/client-address.ts';
import { app, CHECK, event, MACHINE, PING, previous, request } from '../testing/sample-requests.ts';
import { Served, service } from '../testing/served.ts';

/** What the reference says of requests as such, V01 to V26, over HTTP. Parsing itself has its own tests. */
let served: Served;

before(async () => {
  served = await Served.start([service()]);
});
beforeEach(() => {
  served.services = [service()];
});
after(() => served?.stop());

const CHECKING = PING + CHECK + previous('');
const status = async (body: string | Uint8Array, path?: string, headers?: Record<string, string>) => {
  const response = await served.post(body, path, headers);
  await response.arrayBuffer();
  return response.status;
};
const UNKNOWN =
  /status="error-failedToRetrieveUpdatePackageInfo">.*<updatecheck status="error-internal"><urls><\/urls>/;
const UNREGISTERED =
  /status="error-instanceRegistrationFailed">.*<updatecheck status="error-internal"><urls><\/urls>/;

describe('over HTTP', () => {
  it('V01: both spellings of the path answer', async () => {
    assert.equal(await status(request(app(CHECKING)), '/v1/update'), 200);
    assert.equal(await status(request(app(CHECKING)), '/v1/update/'), 200);
    assert.equal(await status(request(app(CHECKING)), '/v1/update/?x=1'), 200);
  });

  it('V02: 65 536 bytes are read, one more is not', async () => {
    const body = request(app(CHECKING));
    assert.equal(await status(body.padEnd(65_536, ' ')), 200);
    const response = await served.post(body.padEnd(70_405, ' '));
    assert.deepEqual([response.status, await response.text()], [400, '']);
    assert.equal(response.headers.get('careen-reason'), 'TooLarge');
  });

  it('V02: a body that hides its length is not read to its end either', async () => {
    const chunk = Buffer.alloc(16_384, ' ');
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(chunk));
      },
    });
    const posted = fetch(`${served.url}/v1/update/`, { method: 'POST', body, duplex: 'half' });
    const answer = await posted.then(({ status: code }) => code).catch(() => 'closed');
    assert.ok(answer === 400 || answer === 'closed', String(answer));
  });

  it('V03: other methods and paths are refused', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const response = await fetch(`${served.url}/v1/update/`, { method });
      assert.deepEqual([response.status, await response.json()], [405, { message: 'Method Not Allowed' }]);
    }
    assert.equal(await status(request(app(CHECKING)), '/v1/update/foo'), 404);
    assert.equal(await status(request(app(CHECKING)), '/'), 404);
  });

  it('V04, V05: what is no request gets 400 with the reason, never 5xx', async () => {
    const bad = ['', '<request>', '<request><app machineid= broken></request>', '<response/>', '<Request/>'];
    for (const body of bad) {
      const response = await served.post(body);
      assert.deepEqual([response.status, await response.text()], [400, '']);
      assert.match(response.headers.get('careen-reason') ?? '', /Malformed|NotARequest/);
    }
  });

  it('V12: versions of protocol 3 are spoken, others are told so', async () => {
    for (const root of ['protocol="3.0"', 'protocol="3.1"']) {
      assert.match(await served.ask(request(app(CHECK), root)), /<updatecheck status="ok">/);
    }
    for (const root of ['protocol="2.0"', '']) {
      assert.match(
        await served.ask(request(app(CHECK), root)),
        /<updatecheck status="error-unsupportedProtocol">/,
      );
    }
  });

  it('V13: any content type is taken, a compressed body is not', async () => {
    for (const type of ['text/xml', 'application/xml', 'text/xml; charset=utf-8', 'application/json', '']) {
      assert.equal(await status(request(app(CHECKING)), '/v1/update/', { 'content-type': type }), 200);
    }
    assert.equal(await status(request(app(CHECKING)), '/v1/update/', { 'content-encoding': 'gzip' }), 415);
  });

  it('V14: no app gets an answer without app, a hundred get a hundred in order', async () => {
    assert.match(await served.ask(request('')), /<daystart elapsed_seconds="0"><\/daystart><\/response>$/);
    const apps = Array.from(
      { length: 100 },
      (_, index) => `<app appid="app-${index}"><ping active="1"/></app>`,
    );
    const answered = [...(await served.ask(request(apps.join('')))).matchAll(/appid="app-([0-9]+)"/g)];
    assert.deepEqual(
      answered.map(([, index]) => Number(index)),
      Array.from({ length: 100 }, (_, index) => index),
    );
  });

  it('V15: X-Forwarded-For is believed from trusted proxies only', async () => {
    const trusting = await Served.start([service()], {
      trustedProxies: parseNetworks('127.0.0.0/8,10.0.0.0/8'),
    });
    try {
      const seen = async (to: Served, forwarded: string) => {
        await to.ask(request(app(CHECKING)), { 'x-forwarded-for': forwarded });
        return (await to.machine(MACHINE))?.address;
      };
      assert.equal(await seen(served, '192.0.2.7'), '127.0.0.1');
      assert.equal(await seen(trusting, ' 192.0.2.7'), '192.0.2.7');
      assert.equal(await seen(trusting, '198.51.100.1, 192.0.2.8, 10.1.1.1'), '192.0.2.8');
      assert.equal(await seen(trusting, 'nonsense'), '127.0.0.1');
    } finally {
      await trusting.stop();
    }
  });

  it('asks for a secret in the path where there is one', async () => {
    const secret = await Served.start([service()], { secret: 's3cret' });
    try {
      const codes = [];
      for (const path of ['/v1/update/s3cret', '/v1/update/s3cret/', '/v1/update/wrong', '/v1/update/']) {
        codes.push((await secret.post(request(app(CHECKING)), path)).status);
      }
      assert.deepEqual(codes, [200, 200, 501, 501]);
    } finally {
      await secret.stop();
    }
  });

  it('limits how often an address and a machine may ask', async () => {
    const perMachine = await Served.start([service()], { perMachine: { burst: 2, perSecond: 0.1 } });
    try {
      const codes = [];
      for (let round = 0; round < 3; round++)
        codes.push((await perMachine.post(request(app(CHECKING)))).status);
      assert.deepEqual(codes, [200, 200, 429]);
      const other = await perMachine.post(request(app(CHECKING, { machineid: 'other' })));
      assert.equal(other.status, 200);
      perMachine.now += 10_000;
      assert.equal((await perMachine.post(request(app(CHECKING)))).status, 200);
    } finally {
      await perMachine.stop();
    }
    const perAddress = await Served.start([service()], { perAddress: { burst: 1, perSecond: 1 } });
    try {
      assert.equal((await perAddress.post('')).status, 400);
      const refused = await perAddress.post('');
      assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '1']);
    } finally {
      await perAddress.stop();
    }
  });

  it('survives a client that goes away in the midst of its request', async () => {
    const { port } = new URL(served.url);
    const socket = connect(Number(port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write('POST /v1/update/ HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n<request');
    socket.destroy();
    assert.equal(await status(request(app(CHECKING))), 200);
  });
});

describe('an app', () => {
  it('V16: is matched by its id however it is written, and the answer repeats it', async () => {
    const id = 'e96281a6-d1af-4bde-9a0a-97b76e56dc57';
    for (const appid of [`{${id}}`, id, `{${id.toUpperCase()}}`, ` ${id} `]) {
      const text = await served.ask(request(app(CHECK, { appid })));
      assert.ok(text.includes(`<app appid="${appid}" status="ok"><updatecheck status="ok">`), text);
    }
  });

  it('V17: may be a product', async () => {
    served.services = [service({ omaha: { appID: 'io.example.App' } })];
    assert.match(
      await served.ask(request(app(CHECK, { appid: 'io.example.App' }))),
      /<updatecheck status="ok">/,
    );
  });

  it('V18: that nobody knows is told so', async () => {
    for (const appid of ['{00000000-0000-0000-0000-000000000000}', 'garbage']) {
      assert.match(await served.ask(request(app(CHECK, { appid }))), UNKNOWN);
    }
    assert.match(await served.ask(request(app(CHECK, { appid: '' }))), /<app status="error-failedToRetrieve/);
  });

  it('V19: is answered whatever came before it', async () => {
    const text = await served.ask(request(app(CHECK, { appid: 'unknown' }) + app(CHECK)));
    assert.match(text, /appid="unknown" status="error-.*<updatecheck status="ok">/);
  });

  it('V20: of an unknown or empty track is as an unknown app', async () => {
    for (const track of ['nightly', ''])
      assert.match(await served.ask(request(app(CHECK, { track }))), UNKNOWN);
  });

  it("V21: may name its track by the id of one of Flatcar's groups, or by any other", async () => {
    served.services = [service({ omaha: { tracks: ['stable', '2d4f6e5c-0000-4000-8000-000000000001'] } })];
    for (const track of ['9a2deb70-37be-4026-853f-bfdd6b347bbe', '2d4f6e5c-0000-4000-8000-000000000001']) {
      assert.match(await served.ask(request(app(CHECK, { track }))), /<updatecheck status="ok">/);
    }
  });

  it('V22: gets what is built for its architecture', async () => {
    const architectures: ('amd64' | 'arm64')[] = ['amd64', 'arm64'];
    served.services = [service({ releases: [{ version: '2.0.0', architectures }] })];
    const text = await served.ask(request(app(CHECK, { board: 'arm64-usr', machineid: 'arm' })));
    assert.match(text, /codebase="https:\/\/mirror.example\/arm64-usr\/2.0.0\/"/);
    served.services = [service()];
    assert.match(
      await served.ask(request(app(CHECK, { board: 'arm64-usr', machineid: 'arm' }))),
      /"noupdate"/,
    );
    assert.equal((await served.machine('arm'))?.hold?.reason, 'WrongArchitecture');
  });

  it('V23: needs a machine id of 1 to 50 characters', async () => {
    for (const machineid of ['', 'm'.repeat(51), undefined]) {
      assert.match(await served.ask(request(app(CHECK, { machineid }))), UNREGISTERED);
    }
    assert.match(
      await served.ask(request(app(CHECK, { machineid: 'm'.repeat(50) }))),
      /<updatecheck status="ok">/,
    );
  });

  it('V24: needs a semantic version; its ping is acknowledged all the same', async () => {
    for (const version of ['ForcedUpdate', '2000.0', '2000.0.0.0', '']) {
      const text = await served.ask(request(app(PING + CHECK, { version, machineid: 'v' })));
      assert.match(text, UNREGISTERED);
      assert.match(text, /<ping status="ok">/);
    }
    assert.match(
      await served.ask(request(app(PING, { version: 'x' }))),
      /status="ok"><ping status="ok"><\/ping><\/app>/,
    );
    for (const version of ['1.0.0+build', '1.0.0-pre', '0.0.0']) {
      const text = await served.ask(request(app(CHECK, { version, machineid: `v${version}` })));
      assert.match(text, /<updatecheck status="ok">/);
    }
  });

  it('V25: needs an address that is one', async () => {
    // Over a socket there always is one; what a proxy makes up is passed over (V15).
    const { identify } = await import('../serve/identify.ts');
    const { readRequest } = await import('../protocol/read-request.ts');
    const [read] = readRequest(Buffer.from(request(app(CHECK)))).apps;
    assert.ok(read !== undefined);
    assert.equal(identify(read, undefined, 'unknown'), undefined);
    assert.equal(identify(read, undefined, '192.0.2.1')?.sighting.address, '192.0.2.1');
  });

  it('V26: that tells less than before clears nothing', async () => {
    await served.ask(request(app(CHECK)));
    await served.ask(request(app(CHECK, { machinealias: '', oem: '', alephversion: undefined })));
    const machine = await served.machine(MACHINE);
    assert.deepEqual([machine?.alias, machine?.oem, machine?.alephVersion], ['edge-17', 'azure', '1.0.0']);
  });

  it('V59: whose machine nobody knows makes none known by an event', async () => {
    const text = await served.ask(request(app(event(3, 1), { machineid: 'stranger' })));
    assert.match(text, /status="ok"><event status="ok"><\/event><\/app>/);
    assert.equal(await served.machine('stranger'), undefined);
  });
});
