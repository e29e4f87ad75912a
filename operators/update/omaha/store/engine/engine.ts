import type { Outcome, Work } from '../work/work.ts';

export type Value = string | number | null;
export type Row = Record<string, Value>;

/** A database with the store's schema. The statements of both kinds number their parameters `$1`, `$2`, … */
export interface Engine {
  /** Runs all works in one transaction, and resolves when it is on the medium. */
  commit(works: readonly Work[]): Promise<Outcome[]>;
  /** Reads, or writes in a transaction of its own. */
  query(statement: string, ...values: Value[]): Promise<Row[]>;
  close(): Promise<void>;
}
