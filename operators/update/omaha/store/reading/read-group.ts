import { Ledger } from '../books/ledger.ts';
import type { Engine } from '../engine/engine.ts';
import type { GroupCounts, Sample } from '../store.ts';

/** A group's counters. */
export async function readGroup(engine: Engine, group: string): Promise<GroupCounts> {
  const rows = await engine.query('SELECT counter, n FROM counters WHERE grp = $1', group);
  const counters = rows.map(({ counter, n }) => [String(counter), Number(n)] as const);
  const [row] = await engine.query('SELECT nodes, starts FROM groups WHERE name = $1', group);
  const { nodes, starts } = { nodes: Number(row?.['nodes'] ?? 0), starts: Number(row?.['starts'] ?? 0) };
  const view = new Ledger(group, { counters, nodes, starts }).view();
  return { ...view, versions: named(counters, 'version:'), holds: named(counters, 'hold:') };
}

export async function readGroups(engine: Engine): Promise<string[]> {
  const rows = await engine.query(
    'SELECT DISTINCT grp FROM counters UNION SELECT name FROM groups ORDER BY 1',
  );
  return rows.map(({ grp }) => String(grp));
}

/** The samples of a group, from `since` to before `until`, oldest first. */
export async function readTimeline(
  engine: Engine,
  group: string,
  since: number,
  until: number,
): Promise<Sample[]> {
  const rows = await engine.query(
    'SELECT at, body FROM samples WHERE grp = $1 AND at >= $2 AND at < $3 ORDER BY at',
    group,
    since,
    until,
  );
  return rows.map(({ at, body }) => ({
    ...(JSON.parse(String(body)) as Omit<Sample, 'at'>),
    at: Number(at),
  }));
}

function named(counters: readonly (readonly [string, number])[], prefix: string): Record<string, number> {
  const found = counters.filter(([counter]) => counter.startsWith(prefix));
  return Object.fromEntries(found.map(([counter, n]) => [counter.slice(prefix.length), n]));
}
