import type { Machine } from '#test/machine/machine.ts';

/** Counts the boots of machines from now on, as the machines themselves do. */
export class Boots {
  readonly #before: ReadonlyMap<Machine, number>;

  constructor(machines: readonly Machine[]) {
    this.#before = new Map(machines.map((machine) => [machine, machine.state().boots]));
  }

  /** By name, all that have booted since. */
  get since(): Record<string, number> {
    const counts = [...this.#before].map(([machine, before]) => [
      machine.name,
      machine.state().boots - before,
    ]);
    return Object.fromEntries(counts.filter(([, count]) => count !== 0)) as Record<string, number>;
  }
}
