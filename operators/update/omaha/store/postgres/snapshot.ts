import type { PoolClient } from 'pg';
import type { Source } from '../books/books.ts';
import { FIRST_VERSION, type Counter } from '../books/contribution.ts';
import type { LedgerStart } from '../books/ledger.ts';
import type { Row } from '../engine/engine.ts';
import { machineOf } from '../engine/machine-row.ts';
import { MustFetch } from '../engine/run-all.ts';
import type { Machine, MachineKey } from '../machine.ts';
import { StoreError } from '../store-error.ts';

/** As many starts are fetched at once as a transaction has works: each asks at most one further. */
const STARTS_AT_ONCE = 300;

/** The row of a group that was there is gone: a standby that took over had not heard of it. */
export class GroupsMissing extends StoreError {
  constructor() {
    super('Contended', 'the row of a group is gone');
  }
}

/** What a transaction holds locked, read from the server beforehand. */
export class Snapshot implements Source {
  room = 0;
  readonly #client: PoolClient;
  readonly #machines = new Map<string, Machine>();
  readonly #groups = new Map<string, LedgerStart & { counters: (readonly [Counter, number])[] }>();
  readonly #starts = new Map<string, number | undefined>();
  #missing: { group: string; number: number } | undefined;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  /**
   * Locks the groups, in one order so that no two transactions wait for each other, and reads what they hold. A
   * machine is changed only under the lock of the group in which it is.
   */
  async lock(groups: readonly string[], keys: readonly MachineKey[]): Promise<void> {
    await this.#lockGroups([...groups].toSorted());
    await this.#readCounters(groups);
    await this.#readMachines(keys);
    for (const { group } of this.#machines.values()) {
      if (!this.#groups.has(group))
        throw new StoreError('Contended', 'a machine changed its group meanwhile');
    }
  }

  machine({ app, id }: MachineKey): Machine | undefined {
    return this.#machines.get(`${app}\n${id}`);
  }

  ledger(group: string): LedgerStart {
    const start = this.#groups.get(group);
    if (start === undefined) throw new StoreError('Contended', `group ${group} is not locked`);
    return start;
  }

  readonly startedAt = (group: string, number: number): number | undefined => {
    const name = `${group}\n${number}`;
    if (this.#starts.has(name)) return this.#starts.get(name);
    this.#missing = { group, number };
    throw new MustFetch(name);
  };

  /** Reads the starts that were asked for and not there, and those that come after. */
  async fetchMissing(): Promise<void> {
    const { group, number } = this.#missing ?? { group: '', number: 0 };
    const { rows } = await this.#client.query<Row>({
      name: 'starts',
      text: 'SELECT number, at FROM starts WHERE grp = $1 AND number >= $2 AND number < $3',
      values: [group, number, number + STARTS_AT_ONCE],
    });
    for (let next = number; next < number + STARTS_AT_ONCE; next += 1)
      this.#starts.set(`${group}\n${next}`, undefined);
    for (const row of rows) this.#starts.set(`${group}\n${Number(row['number'])}`, Number(row['at']));
  }

  async #lockGroups(names: readonly string[]): Promise<void> {
    const lock = {
      name: 'lock-groups',
      text: 'SELECT name, nodes, starts FROM groups WHERE name = ANY ($1) ORDER BY name FOR UPDATE',
      values: [names],
    };
    const { rows } = await this.#client.query<Row>(lock);
    for (const { name, nodes, starts } of rows) {
      this.#groups.set(String(name), { nodes: Number(nodes), starts: Number(starts), counters: [] });
    }
    if (rows.length < names.length) throw new GroupsMissing();
  }

  async #readCounters(groups: readonly string[]): Promise<void> {
    const { rows } = await this.#client.query<Row>({
      name: 'counters',
      text: 'SELECT grp, counter, n FROM counters WHERE grp = ANY ($1) AND counter < $2',
      values: [groups, FIRST_VERSION],
    });
    for (const { grp, counter, n } of rows) {
      this.#groups.get(String(grp))?.counters.push([String(counter), Number(n)]);
    }
  }

  async #readMachines(keys: readonly MachineKey[]): Promise<void> {
    const { rows } = await this.#client.query<Row>({
      name: 'machines',
      text: `SELECT app, id, last_seen, body FROM machines
        JOIN unnest($1::text[], $2::text[]) AS wanted (wanted_app, wanted_id) ON app = wanted_app AND id = wanted_id`,
      values: [keys.map(({ app }) => app), keys.map(({ id }) => id)],
    });
    for (const row of rows) this.#machines.set(`${row['app']}\n${row['id']}`, machineOf(row));
  }
}
