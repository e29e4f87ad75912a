import { canonicalJson } from '#api/config-hash.ts';
import type { Conflict } from './rendered.ts';

/** What one NodeConfig wants of one thing. */
export interface Claim<V> {
  /** The thing, in one spelling for all its names. */
  key: string;
  value: V;
  /** Name of the NodeConfig. */
  owner: string;
  priority: number;
  critical: boolean;
}

/** What is wanted of one thing after all have been heard. */
export interface Won<V> {
  key: string;
  value: V;
  /** All who want exactly this, whatever their priority, by name. */
  from: string[];
  /** The highest among them. */
  priority: number;
  /** One of them may touch what the node hangs on. */
  critical: boolean;
}

export interface Decided<V> {
  won: Map<string, Won<V>>;
  conflicts: Conflict[];
}

/**
 * The highest priority decides each thing by itself; those who say the same beside it own it too. Different wishes at
 * the highest priority are a conflict. Neither the order of claims nor names decide anything.
 */
export function decide<V>(
  claims: readonly Claim<V>[],
  describe: (key: string, values: readonly V[]) => string,
): Decided<V> {
  const won = new Map<string, Won<V>>();
  const conflicts: Conflict[] = [];
  for (const [key, group] of Map.groupBy(claims, (claim) => claim.key)) {
    const top = highest(group);
    const [first] = top;
    if (first === undefined) continue;
    if (top.every((claim) => same(claim.value, first.value))) won.set(key, winner(first, group));
    else
      conflicts.push({
        what: describe(
          key,
          top.map(({ value }) => value),
        ),
        owners: names(top),
      });
  }
  return { won, conflicts };
}

function highest<V>(group: readonly Claim<V>[]): readonly Claim<V>[] {
  if (group.length === 1) return group;
  const priority = Math.max(...group.map((claim) => claim.priority));
  return group.filter((claim) => claim.priority === priority);
}

function winner<V>(first: Claim<V>, group: readonly Claim<V>[]): Won<V> {
  const owners = group.length === 1 ? group : group.filter((claim) => same(claim.value, first.value));
  return {
    key: first.key,
    value: first.value,
    from: names(owners),
    priority: first.priority,
    critical: owners.some(({ critical }) => critical),
  };
}

function same(one: unknown, other: unknown): boolean {
  return one === other || canonicalJson(one) === canonicalJson(other);
}

/** Each once, sorted. */
export function names(claims: readonly { owner: string }[]): string[] {
  return [...new Set(claims.map(({ owner }) => owner))].toSorted();
}
