import { conditions } from '#api/conditions.ts';
import type { CountOrPercent } from '#api/fields.ts';
import { GROUP_LABEL } from '#api/group.ts';
import type { RebootLock } from '#api/kinds.ts';
import { CONTROL_PLANE_LABEL } from '#api/meta.ts';
import {
  rebootLockSpec,
  rebootLockStatus,
  type Holder,
  type RebootLockSpec,
  type RebootLockStatus,
} from '#api/reboot-lock.ts';
import type { NodeFacts } from './facts.ts';
import { selects } from './selects.ts';

/** The lock that every control-plane node takes, whatever its spec says. */
export const CONTROL_PLANE_LOCK = 'control-plane';

/** A RebootLock as decisions see it. */
export interface Lock {
  name: string;
  uid: string;
  resourceVersion: string;
  generation: number;
  /** The NodeGroup that made it. */
  group?: string | undefined;
  spec: RebootLockSpec;
  status: RebootLockStatus;
  holders: readonly Holder[];
  /** Why it cannot be evaluated. Such a lock covers every node and is full. */
  invalid?: string;
}

/** Reads a RebootLock. What cannot be parsed makes it invalid, and an invalid lock is full, never empty. */
export function readLock(object: RebootLock): Lock {
  const known = read.get(object) ?? parse(object);
  read.set(object, known);
  return known;
}

/** Cached objects are replaced and never changed, so each version is parsed once. */
const read = new WeakMap<RebootLock, Lock>();

function parse(object: RebootLock): Lock {
  const spec = rebootLockSpec.safeParse(object.spec);
  const status = rebootLockStatus.safeParse(object.status ?? {});
  const error = spec.error ?? status.error;
  return {
    name: object.metadata.name,
    uid: object.metadata.uid ?? '',
    resourceVersion: object.metadata.resourceVersion ?? '',
    generation: object.metadata.generation ?? 0,
    group: object.metadata.labels?.[GROUP_LABEL],
    spec: effective(object.metadata.name, spec.data ?? EVERYTHING),
    status: status.data ?? { observedGeneration: -1, conditions: salvaged(object) },
    holders: status.data?.holders ?? [],
    ...(error ? { invalid: error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ') } : {}),
  };
}

/** What was said before of a status that cannot be read, so that it is not said anew in every round. */
function salvaged({ status }: RebootLock) {
  return conditions.safeParse(status?.conditions).data ?? [];
}

const EVERYTHING: RebootLockSpec = { nodeSelector: {}, maxUnavailable: 0, countExternal: true };

/** Invariant 7: no number, selector or zone lets two control-plane nodes go at a time, and a cordon counts. */
function effective(name: string, spec: RebootLockSpec): RebootLockSpec {
  if (name !== CONTROL_PLANE_LOCK) return spec;
  return {
    nodeSelector: { matchExpressions: [{ key: CONTROL_PLANE_LABEL, operator: 'Exists' }] },
    maxUnavailable: spec.maxUnavailable,
    countExternal: true,
    ...(spec.minSeparation === undefined ? {} : { minSeparation: spec.minSeparation }),
  };
}

export function covers(lock: Lock, node: Pick<NodeFacts, 'labels'>): boolean {
  return selects(lock.spec.nodeSelector, node.labels);
}

export function isControlPlane(node: Pick<NodeFacts, 'labels'>): boolean {
  return node.labels[CONTROL_PLANE_LABEL] !== undefined;
}

export function holds(lock: Lock, id: string): boolean {
  return lock.holders.some((holder) => holder.id === id);
}

/** The value of topologyKey; nodes without the label share the domain '' of their own. */
export function domainOf(lock: Lock, node: Pick<NodeFacts, 'labels'>): string {
  return lock.spec.topologyKey === undefined ? '' : (node.labels[lock.spec.topologyKey] ?? '');
}

/**
 * maxUnavailable as a number for so many covered nodes. A percentage rounds down, but never to 0 unless it is
 * written as 0%; the control-plane lock is never above 1.
 */
export function maxOf(lock: Lock, covered: number): number {
  const max = numberOf(lock.spec.maxUnavailable, covered);
  return lock.name === CONTROL_PLANE_LOCK ? Math.min(1, max) : max;
}

function numberOf(value: CountOrPercent, of: number): number {
  if (typeof value === 'number') return value;
  const percent = Number(value.slice(0, -1));
  return percent === 0 ? 0 : Math.max(1, Math.floor((of * percent) / 100));
}
