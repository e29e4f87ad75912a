import type { GroupView, StandingCount } from '../group-view.ts';
import { standingOf, type Counter } from './contribution.ts';

/** What a ledger begins with: the group as the database has it. */
export interface LedgerStart {
  /** Those before `FIRST_VERSION`. */
  counters: Iterable<readonly [Counter, number]>;
  nodes: number;
  /** Places ever given. */
  starts: number;
}

/** A group's counters while transactions change them, and what is to be written of that. */
export class Ledger {
  readonly group: string;
  #nodes: number;
  #starts: number;
  readonly #counters: Map<Counter, number>;
  readonly #changes = new Map<Counter, number>();
  readonly #newStarts: number[] = [];
  #view: GroupView | undefined;
  #isRowChanged = false;

  constructor(group: string, { counters, nodes, starts }: LedgerStart) {
    this.group = group;
    this.#counters = new Map(counters);
    this.#nodes = nodes;
    this.#starts = starts;
  }

  get nodes(): number {
    return this.#nodes;
  }

  /** Places ever given, those of this transaction among them. */
  get starts(): number {
    return this.#starts;
  }

  count(counter: Counter): number {
    return this.#counters.get(counter) ?? 0;
  }

  add(counters: readonly Counter[], times: 1 | -1): void {
    for (const counter of counters) {
      this.#counters.set(counter, this.count(counter) + times);
      this.#changes.set(counter, (this.#changes.get(counter) ?? 0) + times);
    }
    this.#view = undefined;
  }

  holdNodes(nodes: number): void {
    this.#isRowChanged ||= nodes !== this.#nodes;
    this.#nodes = nodes;
    this.#view = undefined;
  }

  start(at: number): void {
    this.#starts += 1;
    this.#newStarts.push(at);
    this.#isRowChanged = true;
  }

  /** When the place with this number was given, if it was in this transaction. */
  startedAt(number: number): number | undefined {
    return this.#newStarts[number - (this.#starts - this.#newStarts.length) - 1];
  }

  failed(target: string): number {
    const failures = this.view().standings.filter((one) => one.target === target && one.outcome === 'failed');
    return failures.reduce((sum, { machines }) => sum + machines, 0);
  }

  view(): GroupView {
    this.#view ??= {
      machines: this.count('machines'),
      archived: this.count('archived'),
      byPhase: this.#byPhase(),
      inProgress: this.count('inProgress'),
      nodes: this.#nodes,
      standings: this.#standings(),
    };
    return this.#view;
  }

  changes(): LedgerChanges {
    const counters = [...this.#changes].filter(([, by]) => by !== 0);
    const first = this.#starts - this.#newStarts.length + 1;
    const starts = this.#newStarts.map((at, index) => ({ number: first + index, at }));
    const row = this.#isRowChanged ? { nodes: this.#nodes, starts: this.#starts } : undefined;
    return { group: this.group, counters, starts, row };
  }

  #byPhase(): Record<string, number> {
    const phases = [...this.#counters].filter(([counter, n]) => n > 0 && counter.startsWith('phase:'));
    return Object.fromEntries(phases.map(([counter, n]) => [counter.slice('phase:'.length), n]));
  }

  #standings(): StandingCount[] {
    return [...this.#counters]
      .filter(([counter, n]) => n > 0 && counter.startsWith('standing:'))
      .map(([counter, machines]) => ({ ...standingOf(counter), machines }));
  }
}

export interface LedgerChanges {
  group: string;
  /** By how much each counter changed. */
  counters: [Counter, number][];
  /** Places given, numbered from 1 within the group. */
  starts: { number: number; at: number }[];
  /** The group's row, if it changed. */
  row: { nodes: number; starts: number } | undefined;
}
