import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { until } from '#test/cluster/until.ts';
import { startPayloadServer, type PayloadServer } from '#test/machine/payload-server.ts';
import type { UpstreamRelease } from '../upstream/upstream-release.ts';
import { UpstreamServer } from '../upstream/upstream-server.ts';
import { Fleet, FLATCAR_APP, type FleetOptions } from './fleet.ts';

const SPEED = 3000;
let directory = '';
let payloads: PayloadServer;
let upstream: UpstreamServer;
let fleet: Fleet | undefined;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'careen-fleet-'));
  payloads = await startPayloadServer({ directory });
  upstream = await new UpstreamServer({ appID: FLATCAR_APP, tracks: {} }).start();
});
afterEach(async () => {
  await fleet?.stop();
  upstream.requests.length = 0;
  upstream.fault = payloads.fault = undefined;
});
after(async () => {
  await Promise.all([upstream.stop(), payloads.stop()]);
  await rm(directory, { recursive: true });
});

async function release(version: string): Promise<UpstreamRelease> {
  const bytes = randomBytes(200_000);
  await writeFile(join(directory, `${version}.gz`), bytes);
  const digest = (algorithm: string) => createHash(algorithm).update(bytes).digest('base64');
  const file = { name: `${version}.gz`, size: bytes.length, hash: digest('sha1'), required: true };
  return { version, codebases: [payloads.url], packages: [file], sha256: digest('sha256') };
}

async function offer(...versions: string[]): Promise<void> {
  const releases = await Promise.all(versions.map(release));
  upstream.policy = { appID: FLATCAR_APP, tracks: { 'stable/amd64-usr': releases } };
}

function start(options: Partial<FleetOptions> = {}): Fleet {
  fleet = new Fleet({ url: upstream.url, machines: 1, speed: SPEED, seed: 'test', ...options });
  return fleet.start();
}

/** What the first machine said, in order: `check 3/2 0.0.0.0`, `13/1`, `ping`. */
function said(): string[] {
  return upstream.requests.map(({ root }) => {
    const app = root?.children.find(({ name }) => name === 'app');
    const has = (name: string) => app?.children.some((child) => child.name === name) ?? false;
    const event = app?.children.find(({ name }) => name === 'event')?.attributes;
    const what = has('updatecheck') ? 'check ' : has('ping') ? 'ping' : '';
    if (event === undefined) return what;
    const code = event.has('errorcode') ? ` ${event.get('errorcode')}` : '';
    const previous = event.has('previousversion') ? ` "${event.get('previousversion')}"` : '';
    return `${what}${event.get('eventtype')}/${event.get('eventresult')}${code}${previous}`;
  });
}

const installs = ['13/1', '14/1', '3/1'];

describe('a machine', () => {
  it('updates as the protocol has it: check, download, install, reboot, and tells from where it came', async () => {
    await offer('2.0.0');
    start();
    await until('it is steady on 2.0.0', () => said().includes('check 3/2 ""'));
    const talk = said().filter((what) => what !== 'ping');
    assert.deepEqual(talk.slice(0, 6), [
      'check 3/2 "0.0.0.0"',
      ...installs,
      'check 3/2 "1.0.0"',
      'check 3/2 ""',
    ]);
    const boots = new Set(upstream.requests.map(({ root }) => root?.children[1]?.attributes.get('bootid')));
    assert.equal(boots.size, 2);
  });

  it('pings and nothing else while it waits for its reboot', async () => {
    await offer('2.0.0');
    start({
      reboot: {
        mayReboot: (_, signal) => new Promise((_, reject) => signal.addEventListener('abort', reject)),
      },
    });
    await until('it has pinged', () => said().filter((what) => what === 'ping').length >= 2);
    assert.deepEqual(said().slice(0, 5), ['check 3/2 "0.0.0.0"', ...installs, 'ping']);
    assert.deepEqual(fleet?.report().phases, { 'needs-reboot': 1 });
  });

  it('that falls back says 3/0 with code 44 in its next check, without flags', async () => {
    await offer('2.0.0');
    start({ fortunes: { badVersions: ['2.0.0'] } });
    await until('it has fallen back', () => said().includes('check 3/0 44'));
    assert.equal(fleet?.machines[0]?.version, '1.0.0');
    assert.equal(fleet?.report().happenings['fell-back'], 1);
  });

  it('reports an install that fails, with the flag of a server that is not the public one', async () => {
    await offer('2.0.0');
    start({ fortunes: { failureRate: 1 } });
    await until('it has failed', () => said().includes('3/0 268435461'));
    assert.deepEqual(said().slice(0, 4), ['check 3/2 "0.0.0.0"', '13/1', '14/1', '3/0 268435461']);
  });

  it('reports an HTTP status as code 2000 more, and comes again', async () => {
    await offer('2.0.0');
    upstream.fault = { status: 503, body: '' };
    start();
    await until('it has reported', () => said().includes('3/0 268437959'));
    upstream.fault = undefined;
    await until('it has updated', () => fleet?.allRun('2.0.0') ?? false);
  });

  it('reports a refused check as code 34 and no answer at all as code 2000, with three more tries', async () => {
    await offer('2.0.0');
    start({ identity: { track: 'unknown' } });
    await until('it has reported', () => said().includes('3/0 268435490'));
    await fleet?.stop();
    upstream.requests.length = 0;
    upstream.fault = 'break';
    start();
    await until('it has reported', () => said().includes('3/0 268437456'));
    assert.equal(said().indexOf('3/0 268437456'), 4);
  });

  it('reports a corrupt payload as code 10 and takes the rest of one that broke off', async () => {
    await offer('2.0.0');
    payloads.fault = { kind: 'corrupt' };
    start();
    await until('it has reported', () => said().includes('3/0 268435466'));
    payloads.fault = { kind: 'truncate' };
    const before = payloads.requests.get('/2.0.0.gz') ?? 0;
    await until('it has asked for the rest', () => (payloads.requests.get('/2.0.0.gz') ?? 0) >= before + 2);
    payloads.fault = undefined;
    await until('it goes on from the middle', () => fleet?.allRun('2.0.0') ?? false);
  });

  it('that restarts in a download starts over, without a version to have come from', async () => {
    await offer('2.0.0');
    start({ fortunes: { restartRate: 1 } });
    await until('it has restarted twice', () => said().length >= 5);
    assert.deepEqual(said().slice(0, 4), ['check 3/2 "0.0.0.0"', '13/1', 'check 3/2 ""', '13/1']);
  });
});

it('a hundred machines go from floor to target, some fail, some vanish, and all are counted', async () => {
  await offer('2.0.0', '3.0.0');
  const [floor, target] = upstream.policy.tracks['stable/amd64-usr'] ?? [];
  assert.ok(floor && target);
  upstream.policy = {
    ...upstream.policy,
    tracks: { 'stable/amd64-usr': [{ ...floor, floorReason: 'a new layout' }, target] },
  };
  start({ machines: 100, fortunes: { failureRate: 0.1, fallbackRate: 0.1, vanishRate: 0.02 } });
  await until('all that are left run 3.0.0', () => fleet?.allRun('3.0.0') ?? false, { timeoutMs: 240_000 });
  const report = fleet?.report();
  assert.ok(report);
  const { happenings, vanished, versions } = report;
  assert.equal((versions['3.0.0'] ?? 0) + vanished, 100);
  assert.equal(happenings['installed'], (happenings['booted'] ?? 0) + (happenings['fell-back'] ?? 0));
  assert.ok((happenings['booted'] ?? 0) >= 2 * (100 - vanished));
  assert.equal(happenings['failed'], report.errors['5']);
});
