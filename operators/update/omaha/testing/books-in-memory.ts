import type { Source } from '../store/books/books.ts';
import type { Counter } from '../store/books/contribution.ts';
import type { LedgerStart } from '../store/books/ledger.ts';
import { runAll } from '../store/engine/run-all.ts';
import type { Machine, MachineKey } from '../store/machine.ts';
import type { Work } from '../store/work/work.ts';

/** The store's own books over maps instead of a database: what a decision comes to, thousands of times a second. */
export class BooksInMemory implements Source {
  room = Infinity;
  readonly machines = new Map<string, Machine>();
  readonly #counters = new Map<Counter, number>();
  readonly #starts = new Map<number, number>();
  #row = { nodes: 0, starts: 0 };

  /** Does one piece of work as a transaction does. There is one group. */
  run<T>(work: Work<T>): T {
    const { outcomes, changes } = runAll([work], this);
    const [outcome] = outcomes;
    if (outcome === undefined || !('value' in outcome)) throw outcome?.error ?? new Error('no outcome');
    for (const { after } of changes.machines) if (after !== undefined) this.machines.set(after.id, after);
    for (const { counters, starts, row } of changes.ledgers) {
      for (const [counter, by] of counters)
        this.#counters.set(counter, (this.#counters.get(counter) ?? 0) + by);
      for (const { number, at } of starts) this.#starts.set(number, at);
      this.#row = row ?? this.#row;
    }
    return outcome.value as T;
  }

  machine({ id }: MachineKey): Machine | undefined {
    return this.machines.get(id);
  }

  ledger(): LedgerStart {
    return { counters: this.#counters, ...this.#row };
  }

  readonly startedAt = (_group: string, number: number): number | undefined => this.#starts.get(number);
}
