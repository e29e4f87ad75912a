import type { NodeState } from '#api/kinds.ts';

/** How many nodes have each RenderedConfig as desired, in force or last good. */
export function references(states: readonly NodeState[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { spec, status } of states) {
    const { appliedRendered, lastGoodRendered } = status?.config ?? {};
    const names = new Set([spec?.config?.rendered, appliedRendered, lastGoodRendered]);
    for (const name of names) if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
