import type { NodeGroup, NodeState } from '#api/kinds.ts';

/** How many of each kind run which version. */
export interface Population {
  name: string;
  total: number;
  versions: Record<string, number>;
  /** On their way to another version, from the offer until they are back. */
  underWay: number;
  away: number;
}

export interface OmahaScene {
  chapter: string;
  elapsedMs: number;
  populations: Population[];
  budget: number;
  /** Unavailable at once, of both kinds, as the observer has it. */
  away: { now: number; worst: number };
  /** Who waits, and why, most of them first. */
  waiting: string[];
  halted?: string | undefined;
}

const REST: readonly string[] = ['Idle', 'Succeeded', 'Failed', 'RolledBack'];

/** The nodes of these names, by what their agents say; `away` are names, of nodes and others. */
export function nodesOf(
  { states }: { states: readonly NodeState[] },
  names: readonly string[],
  away: readonly string[],
): Population {
  const mine = states.filter(({ metadata }) => names.includes(metadata.name));
  return {
    name: 'nodes',
    total: names.length,
    versions: byVersion(mine.map(({ status }) => status?.os?.version)),
    underWay: mine.filter(({ status }) => !REST.includes(status?.update?.phase ?? 'Idle')).length,
    away: away.filter((name) => names.includes(name)).length,
  };
}

const MOST_SAMPLES = 3;

/** Reasons of nodes and machines that wait, with how many wait for each. */
export function waitingLines(group: NodeGroup | undefined, states: readonly NodeState[]): string[] {
  const nodes = new Map<string, string[]>();
  for (const { metadata, spec } of states) {
    const { reason } = spec?.update?.hold ?? {};
    if (reason !== undefined) nodes.set(reason, [...(nodes.get(reason) ?? []), metadata.name]);
  }
  const machines = group?.status?.machines?.held ?? [];
  return [
    ...machines.map(({ reason, machines: count }) => `${count} machines: ${reason}`),
    ...[...nodes].map(([reason, names]) => `${named(names)}: ${reason}`),
  ];
}

function named(names: readonly string[]): string {
  const more = names.length > MOST_SAMPLES ? ` and ${names.length - MOST_SAMPLES} more` : '';
  return names.slice(0, MOST_SAMPLES).join(', ') + more;
}

/** How many run which version. */
export function byVersion(versions: readonly (string | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const version of versions) counts[version ?? '?'] = (counts[version ?? '?'] ?? 0) + 1;
  return counts;
}
