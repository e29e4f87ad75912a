import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Source } from '../books/books.ts';
import { FIRST_VERSION } from '../books/contribution.ts';
import type { LedgerStart } from '../books/ledger.ts';
import type { Row } from '../engine/engine.ts';
import { machineOf } from '../engine/machine-row.ts';
import type { Machine, MachineKey } from '../machine.ts';

/** Reads what transactions ask for, when they ask. */
export class SqliteSource implements Source {
  room = 0;
  readonly #machine: StatementSync;
  readonly #counters: StatementSync;
  readonly #group: StatementSync;
  readonly #start: StatementSync;

  constructor(database: DatabaseSync) {
    this.#machine = database.prepare(
      'SELECT app, id, last_seen, body FROM machines WHERE app = ? AND id = ?',
    );
    this.#counters = database.prepare('SELECT counter, n FROM counters WHERE grp = ? AND counter < ?');
    this.#group = database.prepare('SELECT nodes, starts FROM groups WHERE name = ?');
    this.#start = database.prepare('SELECT at FROM starts WHERE grp = ? AND number = ?');
  }

  machine({ app, id }: MachineKey): Machine | undefined {
    const row = this.#machine.get(app, id);
    return row === undefined ? undefined : machineOf(row as Row);
  }

  ledger(group: string): LedgerStart {
    const rows = this.#counters.all(group, FIRST_VERSION);
    const counters = rows.map(({ counter, n }) => [String(counter), Number(n)] as const);
    const { nodes, starts } = this.#group.get(group) ?? { nodes: 0, starts: 0 };
    return { counters, nodes: Number(nodes), starts: Number(starts) };
  }

  readonly startedAt = (group: string, number: number): number | undefined => {
    const row = this.#start.get(group, number);
    return row === undefined ? undefined : Number(row['at']);
  };
}
