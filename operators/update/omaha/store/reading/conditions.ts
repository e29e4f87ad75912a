import type { Value } from '../engine/engine.ts';

/** Collects the conditions of a query and the values of its parameters. */
export class Conditions {
  readonly values: Value[] = [];
  readonly #conditions: string[] = [];

  /** Adds a condition in which each `?` stands for one of the values. */
  add(condition: string, ...values: readonly Value[]): this {
    let next = this.values.length;
    this.#conditions.push(condition.replaceAll('?', () => `$${(next += 1)}`));
    this.values.push(...values);
    return this;
  }

  /** The `WHERE` clause, or nothing. */
  toString(): string {
    return this.#conditions.length === 0 ? '' : `WHERE ${this.#conditions.join(' AND ')}`;
  }
}
