import type { Traffic } from '#test/observer/audit.ts';

/** What careen wrote, events and leases apart, by what it is for. */
export interface Writes {
  /** What a node is to do: NodeState.spec, by an operator. */
  spec: number;
  /** What a node says: NodeState.status, by its agent. */
  status: number;
  /** What a node is given: its Secret. */
  secret: number;
  /** What lets a node read its Secret: account, role and binding, made once. */
  setUp: number;
  /** What belongs to no node: NodeConfigs' status, RenderedConfigs. */
  shared: number;
}

const KINDS: Record<string, keyof Writes> = {
  nodestates: 'spec',
  'nodestates/status': 'status',
  secrets: 'secret',
  serviceaccounts: 'setUp',
  roles: 'setUp',
  rolebindings: 'setUp',
};

export function writesOf(traffic: Iterable<[user: string, Traffic]>): Writes {
  const writes: Writes = { spec: 0, status: 0, secret: 0, setUp: 0, shared: 0 };
  for (const [user, { byResource }] of traffic) {
    if (!user.includes(':careen-')) continue;
    for (const [resource, count] of Object.entries(byResource)) writes[KINDS[resource] ?? 'shared'] += count;
  }
  return writes;
}

export function sumOfWrites({ spec, status, secret, setUp, shared }: Writes): number {
  return spec + status + secret + setUp + shared;
}
