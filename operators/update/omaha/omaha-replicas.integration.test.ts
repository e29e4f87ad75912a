import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kind, resourcePath } from '#api/group.ts';
import type { NodeGroup } from '#api/kinds.ts';
import { KubeClient } from '#runtime/client/client.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import { guardedDirectory, type GuardedDirectory } from '#test/cluster/guardian.ts';
import { freePort } from '#test/cluster/port.ts';
import { until } from '#test/cluster/until.ts';
import { Fleet, FLATCAR_APP } from '#test/omaha/fleet/fleet.ts';
import type { MachineStore } from './store/store.ts';
import { openPostgresStore } from './store/postgres/open-postgres-store.ts';
import { withoutPostgres } from './store/testing/postgres/binaries.ts';
import { startPostgres, startStandby, type PostgresServer } from './store/testing/postgres/server.ts';
import { assertCounted } from './store/testing/recount.ts';
import { LONG_LEASE, Replicas, startOperator } from '#operators/testing/replicas.ts';
import { applyObject, startServing } from '#operators/testing/serving.ts';

/** Two operators over one PostgreSQL with a standby, each with machines of its own, all in one group under one budget. */

const KEY = `RW${'A'.repeat(54)}`;
const DIGEST = 'EqYfThc/s6EcBdZHH3Ryj3YjG0pfzZZnzvOvh6OuTcI=';
const MACHINES = 12;
const BUDGET = 3;
/** Machines ask every second or so, and install and reboot in less. */
const SPEED = 2700;
/** For a machine that does much else. */
const PATIENCE = { timeoutMs: 420_000 };
/** update_engine's codes of requests that the server did not answer well begin here (OmahaRequestHTTPResponseBase). */
const NO_ANSWER = 2000;
/** Ends of an attempt, as machines know them. */
const ENDS = ['failed', 'deferred', 'booted', 'fell-back'];

const skip = withoutPostgres();
if (skip !== false) console.log(`replicas of the Omaha server are not tested: ${skip}`);

describe('the Omaha server, two replicas over PostgreSQL', { skip }, () => {
  let cluster: Cluster;
  let client: KubeClient;
  let directory: GuardedDirectory;
  let primary: PostgresServer;
  let standby: PostgresServer;
  let store: MachineStore;
  const ports: number[] = [];
  const replicas = new Replicas();
  const fleets: Fleet[] = [];
  /** Machines that were told of an update and have not come to its end. */
  const inFlight = new Set<string>();
  let worst = 0;

  before(async () => {
    ({ cluster, client } = await startServing('omaha-test'));
    directory = await guardedDirectory('careen-omaha-replicas-');
    primary = await startPostgres(directory);
    standby = await startStandby(directory, primary);
    ports.push(await freePort(), await freePort());
    for (const index of [0, 1]) await start(index);
    await until('the store opens', openStore, PATIENCE);
  });

  after(async () => {
    await Promise.all(fleets.map((fleet) => fleet.stop()));
    await store?.close();
    await replicas.stop();
    await client?.close();
    await directory?.remove();
    await cluster?.stop();
  });

  test(
    'a killed replica and a failed database lose nothing that was acknowledged, and no place is given twice',
    { timeout: 1_500_000 },
    async () => {
      await publish('1.0.0');
      const omaha = { appID: FLATCAR_APP, tracks: ['stable'] };
      // A request without an answer is a failure to the machine, and tried again.
      const patient = { haltOn: { failures: 1000 }, retry: { limit: 20, backoff: '1s' } };
      const update = { channel: 'stable', rollout: { maxStaging: BUDGET, ...patient }, omaha };
      await apply('NodeGroup', 'edge', { nodeSelector: {}, update });
      for (const port of ports) fleets.push(startFleet(port));
      await until('all machines are known', async () => (await machines('1.0.0')) === 2 * MACHINES, PATIENCE);

      const end = new AbortController();
      const watched = watchBudget(end.signal);
      await publish('1.0.0', '2.0.0');
      await updated(MACHINES / 2);
      await replicas.kill('replica-0');
      await assertRemembered();
      await start(0);
      await updated(MACHINES);
      await primary.kill();
      await standby.query('SELECT pg_promote()');
      await assertRemembered();
      await updated(2 * MACHINES);

      await until(
        'the group says so',
        async () => {
          const { status } = await client.get<NodeGroup>(resourcePath('NodeGroup', 'edge'));
          return status?.machines?.upToDate === 2 * MACHINES;
        },
        PATIENCE,
      );
      end.abort();
      const { looks, most } = await watched;
      assert.ok(looks > 10, `the store was looked at ${looks} times`);
      assert.ok(most <= BUDGET && worst <= BUDGET, `${most} places, ${worst} machines, of ${BUDGET}`);
      await until(
        'each has told of its end',
        async () => (await store.group('edge')).inProgress === 0,
        PATIENCE,
      );
      for (const { id, version, failures } of await store.machines({ group: 'edge', limit: 1000 })) {
        assert.equal(version, '2.0.0', id);
        assert.ok(
          failures.every(({ code }) => code >= NO_ANSWER),
          `${id}: ${JSON.stringify(failures)}`,
        );
      }
      await assertCounted(store, 'edge');
    },
  );

  async function openStore(): Promise<boolean> {
    store = await openPostgresStore({ urls: urls() });
    return true;
  }

  function urls(): string[] {
    return [primary.url, standby.url];
  }

  function start(index: number): Promise<void> {
    const address = `--omaha-address=127.0.0.1:${ports[index]}`;
    const flags = [...LONG_LEASE, address, '--omaha-address-rate=0', '--omaha-machine-rate=0'];
    const env = { ...process.env, OMAHA_DATABASE: urls().join(',') };
    const options = { env, within: directory.cleanup };
    const name = `replica-${index}`;
    return replicas.start(name, () =>
      startOperator(cluster, 'operators/update/main.ts', name, flags, options),
    );
  }

  function startFleet(port: number): Fleet {
    const url = `http://127.0.0.1:${port}/v1/update/`;
    const options = { url, machines: MACHINES, speed: SPEED, seed: `of ${port}`, download: false };
    return new Fleet({
      ...options,
      tell: ({ machineID }, { kind }) => {
        if (kind === 'offered') inFlight.add(machineID);
        if (ENDS.includes(kind)) inFlight.delete(machineID);
        worst = Math.max(worst, inFlight.size);
      },
    }).start();
  }

  /** Machines that run the version, as they were acknowledged. */
  async function machines(version: string): Promise<number> {
    return (await store.group('edge')).versions[version] ?? 0;
  }

  async function updated(many: number): Promise<void> {
    const what = `${many} machines run 2.0.0`;
    await until(what, async () => (await machines('2.0.0')) >= many, { ...PATIENCE, everyMs: 50 });
  }

  /** Each machine that has heard of an update holds its place in the database, or came to its end since. */
  async function assertRemembered(): Promise<void> {
    const told = new Set(inFlight);
    let known = new Map<string, string>();
    await until(
      'the database answers',
      async () => {
        const all = await store.machines({ group: 'edge', limit: 1000 });
        known = new Map(all.map(({ id, grant, version }) => [id, grant?.version ?? version]));
        return true;
      },
      PATIENCE,
    );
    assert.equal(known.size, 2 * MACHINES);
    for (const id of told) assert.equal(known.get(id), '2.0.0', `${id} was told of 2.0.0`);
  }

  async function watchBudget(signal: AbortSignal): Promise<{ looks: number; most: number }> {
    const seen = { looks: 0, most: 0 };
    while (!signal.aborted) {
      const group = await store.group('edge').catch(() => undefined); // between two primaries
      if (group !== undefined) seen.looks += 1;
      seen.most = Math.max(seen.most, group?.inProgress ?? 0);
      await sleep(20);
    }
    return seen;
  }

  async function publish(...versions: string[]): Promise<void> {
    const releases = versions.map((version) => ({
      version,
      builds: [
        {
          architecture: 'amd64',
          codebases: [`http://payloads/${version}/`],
          packages: [{ name: 'update.gz', size: 5, sha256: DIGEST }],
        },
      ],
    }));
    await apply('UpdateChannel', 'stable', { keys: [KEY], source: { releases } });
  }

  function apply(kind: Kind, name: string, spec: object): Promise<void> {
    return applyObject(client, kind, name, spec);
  }
});
