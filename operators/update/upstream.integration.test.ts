import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { resourcePath, type Kind } from '#api/group.ts';
import type { UpdateChannel } from '#api/kinds.ts';
import { KubeClient } from '#runtime/client/client.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import type { GuardedProcess } from '#test/cluster/guardian.ts';
import { freePort } from '#test/cluster/port.ts';
import { until } from '#test/cluster/until.ts';
import { startPayloadServer, type PayloadServer } from '#test/machine/payload-server.ts';
import { Fleet } from '#test/omaha/fleet/fleet.ts';
import type { UpstreamRelease } from '#test/omaha/upstream/upstream-release.ts';
import { UpstreamServer } from '#test/omaha/upstream/upstream-server.ts';
import { newUpdateKey } from './mirror/testing/crau.ts';
import { ReleaseMaker } from './mirror/testing/releases.ts';
import { LONG_LEASE, startOperator } from '#operators/testing/replicas.ts';
import { applyObject, startServing } from '#operators/testing/serving.ts';

/** The real operator and the real mirror on a real API server; an upstream that shares no code with them. */

const APP = '{e96281a6-d1af-4bde-9a0a-97b76e56dc57}';
let cluster: Cluster;
let client: KubeClient;
let upstream: UpstreamServer;
let origin: PayloadServer;
let maker: ReleaseMaker;
let directory = '';
let port = 0;
let omahaPort = 0;
const programs: GuardedProcess[] = [];

before(async () => {
  ({ cluster, client } = await startServing('upstream-test'));
  directory = await mkdtemp(join(tmpdir(), 'careen-upstream-'));
  await mkdir(join(directory, 'origin'));
  origin = await startPayloadServer({ directory: join(directory, 'origin') });
  maker = new ReleaseMaker(join(directory, 'origin'), origin.url);
  upstream = await new UpstreamServer({ appID: APP, tracks: {} }).start();
  port = await freePort();
  omahaPort = await freePort();
  programs.push(await startProgram('operators/update/main.ts', 'u', omahaFlags()), await startMirror('m'));
});

after(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  await Promise.all([client?.close(), upstream?.stop(), origin?.stop()]);
  await cluster?.stop();
  await rm(directory, { recursive: true, force: true });
});

function startProgram(main: string, name: string, flags: string[]): Promise<GuardedProcess> {
  return startOperator(cluster, main, name, [...LONG_LEASE, ...flags]);
}

function omahaFlags(): string[] {
  const place = [`--omaha-address=127.0.0.1:${omahaPort}`, `--omaha-file=${join(directory, 'machines.db')}`];
  return [...place, '--omaha-address-rate=0', '--omaha-machine-rate=0'];
}

function startMirror(identity: string): Promise<GuardedProcess> {
  return startProgram('operators/update/mirror/main.ts', identity, [
    `--directory=${join(directory, 'mirror')}`,
    `--payload-address=127.0.0.1:${port}`,
    `--base-url=http://127.0.0.1:${port}/`,
    '--size-limit=100Mi',
  ]);
}

async function release(version: string, floorReason?: string): Promise<UpstreamRelease> {
  const { from } = await maker.build(version, 200_000, 2);
  const { codebases = [], packages = [] } = from.build ?? {};
  return {
    version,
    codebases,
    packages: packages.map(({ name, size, sha1 = '', sha256, required }) => {
      return { name, size, hash: sha1, sha256: Buffer.from(sha256, 'base64').toString('hex'), required };
    }),
    sha256: packages[0]?.sha256 ?? '',
    floorReason,
  };
}

function offer(...releases: UpstreamRelease[]): void {
  upstream.policy = { appID: APP, tracks: { 'stable/amd64-usr': releases } };
}

const apply = (kind: Kind, spec: object) => applyObject(client, kind, 'up', spec);
const channel = (spec: object) => apply('UpdateChannel', spec);

const source = (track = 'stable') => ({
  omaha: { url: upstream.url, appID: APP, track, pollInterval: '1s' },
});
const read = () => client.get<UpdateChannel>(resourcePath('UpdateChannel', 'up'));
const eventually = (what: string, holds: (status: NonNullable<UpdateChannel['status']>) => boolean) =>
  until(what, async () => holds((await read()).status ?? ({} as never)), {
    timeoutMs: 300_000,
    everyMs: 200,
  });

test('what an upstream offers is offered once the mirror has verified it, floors included', async () => {
  offer(await release('2.0.0', 'a new layout'), await release('3.0.0'));
  await channel({ source: source(), keys: [maker.updateKey.pem], mirror: {} });
  await eventually('3.0.0 is current', ({ current }) => current === '3.0.0');
  // A release above a floor waits until the floor is there as well.
  const { status } = await read();
  assert.deepEqual(
    status?.releases?.map(({ version, floor, floorReason }) => [version, floor, floorReason]),
    [
      ['3.0.0', false, undefined],
      ['2.0.0', true, 'a new layout'],
    ],
  );
  assert.deepEqual(
    status?.mirror?.map(({ state }) => state),
    ['Held', 'Held'],
  );
  const held = status?.mirror?.find(({ version }) => version === '3.0.0');
  const response = await fetch(`${held?.url}update.gz`);
  assert.equal(hash('sha256', Buffer.from(await response.arrayBuffer())), held?.digest);
});

test('it is asked as a client asks, and not while there is nothing to ask', async () => {
  await until('it says what it knows', () => {
    const app = upstream.requests.at(-1)?.root?.children.find(({ name }) => name === 'app');
    return app?.attributes.get('version') === '3.0.0';
  });
  upstream.policy = { ...upstream.policy, pollInterval: 3600 };
  const asked = upstream.requests.length;
  await until('it was asked again', () => upstream.requests.length > asked);
  await eventually('the next check is an hour away', ({ upstream: states }) => {
    return Date.parse(states?.[0]?.nextCheck ?? '') - Date.now() > 40 * 60_000;
  });
});

test(
  'machines go from floor to target with what the mirror serves, within their budget',
  { timeout: 1_000_000 },
  async () => {
    const omaha = { appID: APP, tracks: ['stable'] };
    await apply('NodeGroup', {
      nodeSelector: {},
      update: { channel: 'up', rollout: { maxStaging: 8 }, omaha },
    });
    const before = [...origin.requests.values()].reduce((sum, count) => sum + count, 0);
    // Every check is an hour of theirs: held machines come again soon enough for a test.
    const url = `http://127.0.0.1:${omahaPort}/v1/update/`;
    const fleet = new Fleet({ url, machines: 40, speed: 1500, seed: 'upstream' }).start();
    try {
      await until('all machines run 3.0.0', () => fleet.allRun('3.0.0'), {
        timeoutMs: 900_000,
        everyMs: 200,
      });
      const { happenings, errors, inFlight } = fleet.report();
      assert.equal(happenings['booted'], 80, 'each machine passes the floor');
      assert.deepEqual(errors, {});
      assert.ok(inFlight.worst <= 8, `${inFlight.worst} machines at once`);
      const after = [...origin.requests.values()].reduce((sum, count) => sum + count, 0);
      assert.equal(after, before, 'nothing came from the upstream');
    } finally {
      await fleet.stop();
    }
  },
);

test('what no trusted key has signed is never current, and the channel says why', async () => {
  await channel({ source: source(), keys: [newUpdateKey().pem], mirror: {} });
  await eventually('nothing is current', ({ current }) => current === undefined);
  await eventually(
    'the mirror says why',
    ({ mirror }) => mirror?.some(({ message }) => /spec\.keys/.test(message ?? '')) ?? false,
  );
  await channel({ source: source(), keys: [newUpdateKey().pem, maker.updateKey.pem], mirror: {} });
  await eventually('3.0.0 is current again', ({ current }) => current === '3.0.0');
});

test('a track that is wrong or an upstream that is away leaves what is known, with a condition', async () => {
  await channel({ source: source('gone'), keys: [maker.updateKey.pem], mirror: {} });
  await eventually('it is refused', ({ conditions }) => {
    return (
      conditions?.some(({ type, reason }) => type === 'UpstreamReachable' && reason === 'Refused') ?? false
    );
  });
  offer(await release('2.0.0'), await release('4.0.0'));
  await channel({ source: source(), keys: [maker.updateKey.pem], mirror: {} });
  await eventually('4.0.0 is current', ({ current }) => current === '4.0.0');
  for (const fault of [{ status: 503, body: '' }, { status: 200, body: '<html/>' }, 'break'] as const) {
    upstream.fault = fault;
    await channel({ source: source(), keys: [maker.updateKey.pem], mirror: { keep: 1 } });
    await eventually('the failure is told', ({ upstream: states }) => (states?.[0]?.failures ?? 0) > 0);
    assert.equal((await read()).status?.current, '4.0.0');
    upstream.fault = undefined;
    await eventually('it answers again', ({ upstream: states }) => states?.[0]?.failures === 0);
  }
});

test('a mirror that is killed goes on where it was, and serves at once what it has', async () => {
  const { status } = await read();
  const held = status?.mirror?.find(({ state }) => state === 'Held');
  await programs.pop()?.kill();
  programs.push(await startMirror('m2'));
  const serves = async () => (await fetch(`${held?.url}update.gz`)).status === 200;
  await until('it serves again', serves, { timeoutMs: 300_000 });
  offer(await release('5.0.0'));
  await eventually('5.0.0 is current', ({ current }) => current === '5.0.0');
  await eventually('the release before is not kept any more', ({ mirror }) => {
    return mirror?.find(({ version }) => version === '4.0.0')?.state === 'Released';
  });
});
