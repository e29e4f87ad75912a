import type { NodeConfigStatus } from '#api/node-config.ts';
import type { Desired } from '../desire/desires.ts';

export type ConflictStatus = NonNullable<NodeConfigStatus['conflicts']>[number];

const MOST = 32;

/** What one config and others want differently, over all nodes; each thing and other config once, sorted. */
export function conflictsOf(config: string, desired: ReadonlyMap<string, Desired>): ConflictStatus[] {
  const found = new Map<string, ConflictStatus>();
  for (const [node, one] of desired) {
    if (one.kind !== 'obstacle') continue;
    for (const { what, owners } of one.conflicts) {
      if (!owners.includes(config)) continue;
      for (const other of owners) if (other !== config) add(found, what, other, node);
    }
  }
  const sorted = [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, conflict]) => conflict);
  return sorted.slice(0, MOST);
}

function add(found: Map<string, ConflictStatus>, what: string, other: string, node: string): void {
  const key = `${what} ${other}`;
  const before = found.get(key);
  const example = before === undefined || node < before.example ? node : before.example;
  found.set(key, { what: what.slice(0, 1088), with: other, nodes: (before?.nodes ?? 0) + 1, example });
}
