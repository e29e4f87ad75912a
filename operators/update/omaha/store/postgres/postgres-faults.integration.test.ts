import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { guardedDirectory, type GuardedDirectory } from '#test/cluster/guardian.ts';
import { until } from '#test/cluster/until.ts';
import { isStoreError } from '../store-error.ts';
import type { MachineStore } from '../store.ts';
import { key, NOW, SIGHTING } from '../testing/machines.ts';
import { withoutPostgres } from '../testing/postgres/binaries.ts';
import { startPostgres, startStandby, type PostgresServer } from '../testing/postgres/server.ts';
import { race } from '../testing/processes/race.ts';
import { allMachines, assertCounted } from '../testing/recount.ts';
import { openPostgresStore } from './open-postgres-store.ts';

/** For a machine that does much else. */
const PATIENCE = { timeoutMs: 300_000 };

const skip = withoutPostgres();
if (skip !== false) console.log(`faults of PostgreSQL are not tested: ${skip}`);

describe('the store in PostgreSQL, while things break', { skip }, () => {
  let directory: GuardedDirectory;
  let primary: PostgresServer;
  before(async () => {
    directory = await guardedDirectory('careen-omaha-faults-');
    primary = await startPostgres(directory);
  });
  after(() => directory.remove());

  test('budgets hold in a race of three replicas, one of which is killed again and again', async () => {
    const where = { urls: [primary.url], schema: 'race' };
    const count = () => openPostgresStore(where);
    const result = await race({ where, count, replicas: 3, trials: 150, killEvery: 50 });
    assert.deepEqual(result, { trials: 150, overshoots: 0, lost: 0, kills: 3 });
  });

  test('a schema of a newer release is refused, and one of another program', async () => {
    const open = () => openPostgresStore({ urls: [primary.url], schema: 'ours' });
    await Promise.all([open(), open(), open()].map(async (store) => (await store).close()));
    await primary.query('UPDATE ours.careen_schema SET version = 99');
    await assert.rejects(open(), (error) => isStoreError(error, 'SchemaNewer'));
    await primary.query('CREATE SCHEMA theirs; CREATE TABLE theirs.things (x int)');
    const foreign = openPostgresStore({ urls: [primary.url], schema: 'theirs' });
    await assert.rejects(foreign, (error) => isStoreError(error, 'Foreign'));
  });

  test('nothing acknowledged is lost when the server is killed and starts again', async () => {
    const store = await openPostgresStore({ urls: [primary.url], schema: 'killed' });
    const load = new Load(store);
    for (let round = 0; round < 3; round += 1) {
      await load.more(100);
      await primary.kill();
      await primary.start();
    }
    await load.more(100);
    await compare(store, await load.stop());
    await store.close();
  });

  // From here on the primary has a standby, without which it acknowledges nothing.
  test('a standby that is promoted is found, and has all that was acknowledged', async () => {
    const standby = await startStandby(directory, primary);
    const store = await openPostgresStore({ urls: [primary.url, standby.url], schema: 'replicated' });
    const load = new Load(store);
    await load.more(300);

    await standby.kill();
    const refused = store
      .contact(key(999_999), SIGHTING, NOW, () => ({}))
      .then(
        () => 'acknowledged',
        (error: unknown) => isStoreError(error) && error.code,
      );
    let end: unknown;
    void refused.then((how) => (end = how));
    // The server can be made to give up its wait, and says then that it has committed.
    await until(
      'the request is answered',
      async () => {
        await primary.query(
          `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`,
        );
        return end !== undefined;
      },
      PATIENCE,
    );
    assert.ok(end === 'Unavailable' || end === 'Contended', String(end));

    await standby.start();
    await load.more(100);
    await primary.kill();
    await standby.query('SELECT pg_promote()');
    await load.more(100);
    await compare(store, await load.stop());
    await store.close();
  });
});

/** Machines that come one after the other, a few at a time. Those that are refused do not count. */
class Load {
  readonly acknowledged = new Map<number, string>();
  readonly #store: MachineStore;
  readonly #all: Promise<unknown>;
  #next = 0;
  #isOver = false;

  constructor(store: MachineStore) {
    this.#store = store;
    this.#all = Promise.all(Array.from({ length: 8 }, () => this.#come()));
  }

  /** Waits until so many more were acknowledged. */
  async more(machines: number): Promise<void> {
    const before = this.acknowledged.size;
    await until(
      `${machines} more are acknowledged`,
      () => this.acknowledged.size >= before + machines,
      PATIENCE,
    );
  }

  async stop(): Promise<ReadonlyMap<number, string>> {
    this.#isOver = true;
    await this.#all;
    return this.acknowledged;
  }

  async #come(): Promise<void> {
    while (!this.#isOver) {
      const id = (this.#next += 1);
      const told = { ...SIGHTING, version: `1.0.${id}` };
      const came = this.#store.contact(key(id), told, NOW, () => ({ phase: 'Complete' }));
      await came.then(
        () => this.acknowledged.set(id, told.version),
        () => {}, // not acknowledged
      );
    }
  }
}

async function compare(store: MachineStore, acknowledged: ReadonlyMap<number, string>): Promise<void> {
  const found = new Map((await allMachines(store, 'edge')).map(({ id, version }) => [id, version]));
  for (const [id, version] of acknowledged) assert.equal(found.get(key(id).id), version);
  await assertCounted(store, 'edge');
}
