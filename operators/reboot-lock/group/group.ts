import { durationMs } from '#api/fields.ts';
import type { NodeGroup } from '#api/kinds.ts';
import { nodeGroupSpec, type NodeGroupSpec } from '#api/node-group.ts';
import { claimantsOf } from '#api/membership.ts';

/** A NodeGroup as reboot decisions see it. */
export interface Group {
  name: string;
  spec: NodeGroupSpec;
  /** Why its spec cannot be evaluated; nothing in such a group reboots. */
  invalid?: string;
}

/** Which group a node belongs to: one, none, or several of equal priority and so none. */
export type Membership = { group: Group } | { conflict: readonly string[] } | { none: true };

/** Reads a NodeGroup; a spec that the schema refuses (an unknown strategy, say) is kept as invalid. */
export function readGroup(object: NodeGroup): Group {
  const known = read.get(object) ?? parse(object);
  read.set(object, known);
  return known;
}

/** Cached objects are replaced and never changed, so each version is parsed once. */
const read = new WeakMap<NodeGroup, Group>();

function parse(object: NodeGroup): Group {
  const parsed = nodeGroupSpec.safeParse(object.spec);
  const name = object.metadata.name;
  if (parsed.success) return { name, spec: parsed.data };
  const invalid = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ');
  const { nodeSelector, priority } = object.spec;
  return {
    name,
    invalid,
    spec: nodeGroupSpec.parse({ nodeSelector: nodeSelector ?? {}, priority: priority ?? 0 }),
  };
}

export function membership(labels: Record<string, string>, groups: readonly Group[]): Membership {
  const [group, ...equals] = claimantsOf(labels, groups);
  if (group === undefined) return { none: true };
  return equals.length === 0
    ? { group }
    : { conflict: [group, ...equals].map(({ name }) => name).toSorted() };
}

/** `minReadySeconds` of the node's group in milliseconds; the schema's default for a node without a group. */
export function minReadyMs(member: Membership): number {
  return ('group' in member ? member.group.spec.reboot.minReadySeconds : 10) * 1000;
}

export function delayBetweenMs(group: Group): number {
  return durationMs(group.spec.reboot.delayBetween);
}
