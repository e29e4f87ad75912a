import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Engine, Row, Value } from '../engine/engine.ts';
import { growth } from '../engine/growth.ts';
import { runAll } from '../engine/run-all.ts';
import type { Outcome, Work } from '../work/work.ts';
import { openFile } from './open-file.ts';
import { sqliteError } from './sqlite-error.ts';
import { SqliteSource } from './sqlite-source.ts';
import { SqliteWriter } from './sqlite-writer.ts';

/** One file, one process. SQLite answers at once, so a transaction is one turn of the loop. */
export class SqliteEngine implements Engine {
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #source: SqliteSource;
  readonly #writer: SqliteWriter;
  readonly #statements = new Map<string, StatementSync>();

  /** Throws a `StoreError`. */
  constructor(file: string, maxMachines: number) {
    this.#file = file;
    this.#database = openFile(file);
    this.#source = new SqliteSource(this.#database);
    this.#writer = new SqliteWriter(this.#database);
    this.#source.room = maxMachines - this.#machines();
  }

  commit(works: readonly Work[]): Promise<Outcome[]> {
    return this.#guard(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      const { outcomes, changes } = runAll(works, this.#source);
      this.#writer.write(changes);
      this.#database.exec('COMMIT');
      this.#source.room -= growth(changes);
      return outcomes;
    });
  }

  query(statement: string, ...values: Value[]): Promise<Row[]> {
    return this.#guard(() => {
      const named = Object.fromEntries(values.map((value, index) => [`$${index + 1}`, value]));
      return this.#prepared(statement).all(named) as Row[];
    });
  }

  close(): Promise<void> {
    return this.#guard(() => this.#database.close());
  }

  /** Undoes what an error left half done. */
  #guard<T>(act: () => T): Promise<T> {
    try {
      return Promise.resolve(act());
    } catch (error) {
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK');
      return Promise.reject(sqliteError(error, this.#file));
    }
  }

  #prepared(statement: string): StatementSync {
    let prepared = this.#statements.get(statement);
    if (prepared === undefined) {
      prepared = this.#database.prepare(statement);
      this.#statements.set(statement, prepared);
    }
    return prepared;
  }

  #machines(): number {
    const sum = `SELECT sum(n) AS n FROM counters WHERE counter IN ('machines', 'archived')`;
    return Number(this.#database.prepare(sum).get()?.['n'] ?? 0);
  }
}
