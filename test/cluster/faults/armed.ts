import { concerns, type Rule, type Seen } from './fault.ts';

/** A rule in force. */
export interface Armed {
  readonly rule: Rule;
  /** How many requests it has struck. */
  readonly hits: number;
  remove(): void;
}

/** The rules in force, in the order in which they were added. The first one that strikes a request counts. */
export class Arsenal {
  readonly #armed: { rule: Rule; hits: number }[] = [];
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  add(rule: Rule): Armed {
    const entry = { rule, hits: 0 };
    this.#armed.push(entry);
    return {
      rule,
      get hits() {
        return entry.hits;
      },
      remove: () => this.#remove(entry),
    };
  }

  clear(): void {
    this.#armed.length = 0;
  }

  strike(seen: Seen): Rule | undefined {
    for (const entry of this.#armed) {
      const { rule, hits } = entry;
      if (hits >= (rule.times ?? Infinity) || !concerns(rule, seen)) continue;
      if (this.#random() >= (rule.probability ?? 1)) continue;
      entry.hits += 1;
      return rule;
    }
    return undefined;
  }

  #remove(entry: { rule: Rule; hits: number }): void {
    const index = this.#armed.indexOf(entry);
    if (index >= 0) this.#armed.splice(index, 1);
  }
}
