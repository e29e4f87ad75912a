import type { Holder } from '#api/reboot-lock.ts';
import { budgetOf, type Budget } from './budget.ts';
import type { Decision } from './decide.ts';
import type { NodeFacts } from './facts.ts';
import type { Lock } from './lock.ts';
import type { Snapshot } from './snapshot.ts';

/** The locks as they become while one decision is made. */
export class Ledger {
  readonly #snapshot: Snapshot;
  /** By lock name, then by holder id in the order of taking. */
  readonly #holders: Map<string, Map<string, Holder>>;
  readonly #lastGrants = new Map<string, number>();
  readonly #budgets = new Map<string, Budget>();
  readonly #taken: { node: string; lock: string }[] = [];
  readonly #released: { node: string; lock: string; why: string }[] = [];
  readonly #restored: string[] = [];
  readonly #changed = new Set<string>();

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#holders = new Map(
      snapshot.locks.map(({ name, holders }) => [name, new Map(holders.map((one) => [one.id, one]))]),
    );
    for (const { name, status } of snapshot.locks) {
      // A place that was taken in the future was taken by a clock that was wrong: just now, as far as is known.
      if (status.lastGrant !== undefined)
        this.#lastGrants.set(name, Math.min(Date.parse(status.lastGrant), snapshot.now));
    }
  }

  holder({ name }: Lock, id: string): Holder | undefined {
    return this.#holders.get(name)?.get(id);
  }

  /** Whether it holds a place in any lock. */
  holds(id: string): boolean {
    return [...this.#holders.values()].some((holders) => holders.has(id));
  }

  /** Everybody who holds a place in any lock. */
  ids(): Set<string> {
    return new Set([...this.#holders.values()].flatMap((holders) => [...holders.keys()]));
  }

  lock(before: Lock): Lock {
    if (!this.#changed.has(before.name)) return before;
    return { ...before, holders: [...(this.#holders.get(before.name)?.values() ?? [])] };
  }

  restore(lock: Lock, holder: Holder): void {
    this.#holders.get(lock.name)?.set(holder.id, holder);
    this.#restored.push(holder.id);
    this.#touch(lock);
  }

  take(lock: Lock, node: NodeFacts, holder: Holder): void {
    const after = this.#budget(lock).plus(node);
    this.#holders.get(lock.name)?.set(holder.id, holder);
    this.#lastGrants.set(lock.name, this.#snapshot.now);
    this.#taken.push({ node: holder.id, lock: lock.name });
    this.#touch(lock);
    this.#budgets.set(lock.name, after);
  }

  drop(lock: Lock, id: string, why: string): void {
    this.#holders.get(lock.name)?.delete(id);
    this.#released.push({ node: id, lock: lock.name, why });
    this.#touch(lock);
  }

  #touch({ name }: Lock): void {
    this.#budgets.delete(name);
    this.#changed.add(name);
  }

  #budget(lock: Lock): Budget {
    const budget = this.#budgets.get(lock.name) ?? budgetOf(this.lock(lock), this.#snapshot.nodes);
    this.#budgets.set(lock.name, budget);
    return budget;
  }

  /** What decides over places in these locks. */
  places(locks: readonly Lock[]) {
    for (const lock of locks) this.#budget(lock);
    return { now: this.#snapshot.now, budgets: this.#budgets, lastGrants: this.#lastGrants };
  }

  outcome(): Omit<Decision, 'waiting'> {
    const locks = this.#snapshot.locks.map((lock) => {
      const next = this.lock(lock);
      const granted = this.#lastGrants.get(lock.name);
      const lastGrant = granted === undefined ? {} : { lastGrant: new Date(granted).toISOString() };
      return { ...next, status: { ...next.status, ...lastGrant } };
    });
    const [taken, released, restored] = [this.#taken, this.#released, this.#restored];
    return { locks, changed: this.#changed, taken, released, restored };
  }
}
