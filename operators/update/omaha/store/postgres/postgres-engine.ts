import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import type { Changes } from '../books/books.ts';
import type { Engine, Row, Value } from '../engine/engine.ts';
import { growth } from '../engine/growth.ts';
import { MustFetch, runAll } from '../engine/run-all.ts';
import { StoreError } from '../store-error.ts';
import type { Outcome, Work } from '../work/work.ts';
import { migrate } from './migrate.ts';
import { postgresError, remedyOf } from './postgres-error.ts';
import { Primary, type PrimaryOptions } from './primary.ts';
import { GroupsMissing, Snapshot } from './snapshot.ts';
import { writeChanges } from './write-changes.ts';

/** How long a failover may take before requests are told that the store is unavailable. */
const PATIENCE_MS = 10_000;
const MOST_CONFLICTS = 10;
/**
 * After an error it is not known whether the last transaction is on the standby, and one that finds everything
 * done already would have nothing to wait for. This gives it something.
 */
const SOMETHING = `SELECT pg_logical_emit_message(true, 'careen', '')`;
/** How long the number of machines is believed; other replicas make some, too. */
const CENSUS_MS = 10_000;

/** Several replicas on one database. Each transaction holds the rows of its groups, which serialises it with theirs. */
export class PostgresEngine implements Engine {
  readonly #primary: Primary;
  readonly #schema: string;
  readonly #maxMachines: number;
  readonly #known = new Set<string>();
  #machines = 0;
  #countedAt = -Infinity;
  #isDoubtful = false;
  #isClosed = false;

  constructor(options: PrimaryOptions, maxMachines: number) {
    this.#primary = new Primary(options);
    this.#schema = options.schema;
    this.#maxMachines = maxMachines;
  }

  /** Rejects with a `StoreError`. */
  async open(): Promise<void> {
    await this.#persist((client) => migrate(client, this.#schema));
  }

  commit(works: readonly Work[]): Promise<Outcome[]> {
    return this.#persist((client) => this.#transact(client, works));
  }

  query(statement: string, ...values: Value[]): Promise<Row[]> {
    return this.#persist(async (client) => (await client.query<Row>(statement, values)).rows);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#primary.close();
  }

  /** Tries until it is done, cannot be done, or took too long. */
  async #persist<T>(act: (client: PoolClient) => Promise<T>): Promise<T> {
    const until = performance.now() + PATIENCE_MS;
    for (let conflicts = 0; ;) {
      if (this.#isClosed) throw new StoreError('Closed', 'the store is closed');
      try {
        return await this.#primary.use(act);
      } catch (error) {
        const remedy = remedyOf(error);
        if (error instanceof GroupsMissing) this.#known.clear();
        if (remedy === 'again') conflicts += 1;
        else this.#isDoubtful = true;
        const isOver = remedy === 'none' || conflicts > MOST_CONFLICTS || performance.now() > until;
        if (isOver) throw postgresError(error);
        await sleep((remedy === 'again' ? 5 : 100) * (1 + Math.random()));
      }
    }
  }

  async #transact(client: PoolClient, works: readonly Work[]): Promise<Outcome[]> {
    await this.#count(client);
    const groups = await this.#groupsOf(client, works);
    await client.query('BEGIN');
    const snapshot = new Snapshot(client);
    snapshot.room = this.#maxMachines - this.#machines;
    await snapshot.lock(
      groups,
      works.flatMap(({ machines }) => machines),
    );
    const { outcomes, changes } = await runWithStarts(works, snapshot);
    await writeChanges(client, changes);
    if (this.#isDoubtful) await client.query(SOMETHING);
    await commitDurably(client);
    this.#isDoubtful = false;
    this.#machines += growth(changes);
    return outcomes;
  }

  /** The groups that the works name, and those in which their machines are. Those that are new get their row. */
  async #groupsOf(client: PoolClient, works: readonly Work[]): Promise<string[]> {
    const keys = works.flatMap(({ machines }) => machines);
    const { rows } = await client.query<{ grp: string }>({
      name: 'groups-of-machines',
      text: `SELECT DISTINCT grp FROM machines
        JOIN unnest($1::text[], $2::text[]) AS wanted (wanted_app, wanted_id) ON app = wanted_app AND id = wanted_id`,
      values: [keys.map(({ app }) => app), keys.map(({ id }) => id)],
    });
    const groups = [...new Set([...works.flatMap((work) => work.groups), ...rows.map(({ grp }) => grp)])];
    const unknown = groups.filter((group) => !this.#known.has(group)).toSorted();
    if (unknown.length > 0) {
      const text =
        'INSERT INTO groups SELECT name, 0, 0 FROM unnest($1::text[]) AS name ON CONFLICT DO NOTHING';
      await client.query(text, [unknown]);
      for (const group of unknown) this.#known.add(group);
    }
    return groups;
  }

  async #count(client: PoolClient): Promise<void> {
    if (performance.now() - this.#countedAt < CENSUS_MS) return;
    const sum = `SELECT sum(n)::bigint AS n FROM counters WHERE counter IN ('machines', 'archived')`;
    this.#machines = (await client.query<{ n: number | null }>(sum)).rows[0]?.n ?? 0;
    this.#countedAt = performance.now();
  }
}

async function runWithStarts(
  works: readonly Work[],
  snapshot: Snapshot,
): Promise<{ outcomes: Outcome[]; changes: Changes }> {
  for (;;) {
    try {
      return runAll(works, snapshot);
    } catch (error) {
      if (!(error instanceof MustFetch)) throw error;
      await snapshot.fetchMissing();
    }
  }
}

/**
 * A server whose wait for its synchronous standby is cut short says only a warning, and commits: that is not
 * acknowledged here.
 */
async function commitDurably(client: PoolClient): Promise<void> {
  let warning: string | undefined;
  const hear = ({ message = '' }: { message?: string | undefined }) => (warning = message);
  client.on('notice', hear);
  await client.query('COMMIT');
  client.off('notice', hear);
  if (warning !== undefined) throw new StoreError('Unavailable', `PostgreSQL: ${warning}`);
}
