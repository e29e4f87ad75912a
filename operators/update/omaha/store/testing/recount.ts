import assert from 'node:assert/strict';
import { contribution } from '../books/contribution.ts';
import type { Machine } from '../machine.ts';
import type { MachineStore } from '../store.ts';

/** All machines of a group, archived ones among them. */
export async function allMachines(store: MachineStore, group: string): Promise<Machine[]> {
  const found: Machine[] = [];
  for (const archived of [false, true]) {
    for (let after: Machine | undefined; ;) {
      const page = await store.machines({ group, archived, after, limit: 1000 });
      found.push(...page);
      if (page.length < 1000) break;
      after = page.at(-1);
    }
  }
  return found;
}

/** Asserts that a group's counters are what counting its machines gives. */
export async function assertCounted(store: MachineStore, group: string): Promise<void> {
  const counters = (await allMachines(store, group)).flatMap(contribution);
  const count = (prefix: string) => {
    const names = counters.filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length));
    return Object.fromEntries(
      Map.groupBy(names, (name) => name)
        .entries()
        .map(([name, all]) => [name, all.length]),
    );
  };
  const told = await store.group(group);
  const standings = told.standings.map(({ target, wave, outcome, machines }) => [
    JSON.stringify([target, wave, outcome]),
    machines,
  ]);
  assert.deepEqual(
    { ...told, standings: Object.fromEntries(standings) as unknown, nodes: 0 },
    {
      machines: counters.filter((one) => one === 'machines').length,
      archived: counters.filter((one) => one === 'archived').length,
      inProgress: counters.filter((one) => one === 'inProgress').length,
      nodes: 0,
      byPhase: count('phase:'),
      versions: count('version:'),
      holds: count('hold:'),
      standings: count('standing:'),
    },
  );
}
