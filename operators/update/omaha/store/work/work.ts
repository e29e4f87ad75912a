import type { Books } from '../books/books.ts';
import type { MachineKey } from '../machine.ts';

/** One thing to do in a transaction, alone or with others. */
export interface Work<T = unknown> {
  /** The machines that it may read and change. */
  machines: readonly MachineKey[];
  /** The groups that it may change, beside those in which the machines are. */
  groups: readonly string[];
  /** Does it, at once; called again on fresh books where the transaction is tried again. Throws before any change. */
  run(books: Books): T;
}

/** How a piece of work ended. */
export type Outcome = { value: unknown; error?: undefined } | { error: unknown };
