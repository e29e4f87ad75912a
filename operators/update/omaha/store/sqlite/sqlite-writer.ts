import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isOnlySeen, type Changes, type MachineChange } from '../books/books.ts';
import type { LedgerChanges } from '../books/ledger.ts';
import { MACHINE_COLUMNS, valuesOf } from '../engine/machine-row.ts';

const marks = MACHINE_COLUMNS.map(() => '?').join(', ');

/** Writes what transactions changed. */
export class SqliteWriter {
  readonly #seen: StatementSync;
  readonly #machine: StatementSync;
  readonly #removal: StatementSync;
  readonly #counter: StatementSync;
  readonly #zero: StatementSync;
  readonly #group: StatementSync;
  readonly #start: StatementSync;
  readonly #history: StatementSync;

  constructor(database: DatabaseSync) {
    const prepare = (statement: string) => database.prepare(statement);
    const columns = MACHINE_COLUMNS.slice(2).map((name) => `${name} = excluded.${name}`);
    this.#seen = prepare('UPDATE machines SET last_seen = ? WHERE app = ? AND id = ?');
    this.#machine = prepare(
      `INSERT INTO machines (${MACHINE_COLUMNS.join(', ')}) VALUES (${marks})
       ON CONFLICT (app, id) DO UPDATE SET ${columns.join(', ')}`,
    );
    this.#removal = prepare('DELETE FROM machines WHERE app = ? AND id = ?');
    this.#counter = prepare(
      'INSERT INTO counters (grp, counter, n) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n',
    );
    this.#zero = prepare('DELETE FROM counters WHERE grp = ? AND counter = ? AND n = 0');
    this.#group = prepare('INSERT OR REPLACE INTO groups (name, nodes, starts) VALUES (?, ?, ?)');
    this.#start = prepare('INSERT OR REPLACE INTO starts (grp, number, at) VALUES (?, ?, ?)');
    this.#history = prepare(
      'INSERT INTO history (at, app, id, grp, kind, message, code, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
  }

  write({ machines, ledgers, history }: Changes): void {
    for (const change of machines) this.#writeMachine(change);
    for (const changes of ledgers) this.#writeLedger(changes);
    for (const { at, app, id, group, kind, message, code, version } of history) {
      this.#history.run(at, app, id, group, kind, message, code ?? null, version ?? null);
    }
  }

  #writeMachine(change: MachineChange): void {
    const { before, after } = change;
    if (after === undefined) {
      if (before !== undefined) this.#removal.run(before.app, before.id);
    } else if (isOnlySeen(change)) this.#seen.run(after.lastSeen, after.app, after.id);
    else this.#machine.run(...valuesOf(after));
  }

  #writeLedger({ group, counters, starts, row }: LedgerChanges): void {
    for (const [counter, by] of counters) {
      this.#counter.run(group, counter, by);
      if (by < 0) this.#zero.run(group, counter);
    }
    for (const { number, at } of starts) this.#start.run(group, number, at);
    if (row !== undefined) this.#group.run(group, row.nodes, row.starts);
  }
}
