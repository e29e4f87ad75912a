import { durationMs } from '#api/fields.ts';
import type { DrainPolicy } from '#api/node-group.ts';
import { isReady, type Pod } from '#api/meta.ts';

/** The pod that this operator runs in. */
export interface Self {
  namespace: string;
  pod: string;
}

/**
 * Who else could lead: a replica that is Ready on another node, one that is on its way there, one that the
 * scheduler finds no node for, or nobody at all.
 */
export type Standby = 'ready' | 'coming' | 'nowhere' | 'none';

/**
 * How long a node is kept drained but for careen's own operators, which cannot leave: nothing is lost when they go
 * down with their node, since they lead by a Lease and know nothing that is not in the API server.
 */
export const PATIENCE_MS = 30_000;

/** Never so long that a short drain timeout always comes first: then no turn would come to anything. */
export function patience({ timeout }: Pick<DrainPolicy, 'timeout'>): number {
  return Math.min(PATIENCE_MS, durationMs(timeout) / 2);
}

const PART_OF = 'app.kubernetes.io/part-of';
const NAME = 'app.kubernetes.io/name';
const INSTANCE = 'app.kubernetes.io/instance';
const CORDON_TAINT = 'node.kubernetes.io/unschedulable';

/** Selects the pods of careen's operators in their namespace. */
export const CREW_SELECTOR = `${PART_OF}=careen`;

export function isSelf({ metadata }: Pod, self: Self | undefined): boolean {
  return self !== undefined && metadata.namespace === self.namespace && metadata.name === self.pod;
}

/** Whether the pod is an operator of careen's, of whatever part. */
export function isCrew(pod: Pod, self: Self | undefined): boolean {
  if (isSelf(pod, self)) return true;
  return pod.metadata.namespace === self?.namespace && pod.metadata.labels?.[PART_OF] === 'careen';
}

/** `held` tells the nodes that we are about to take down ourselves: a replica there will not lead for long. */
export function standbyOf(own: Pod, crew: readonly Pod[], held: (node: string) => boolean): Standby {
  const others = crew.filter((pod) => replicaOf(own, pod));
  const elsewhere = others.filter(({ spec }) => spec?.nodeName !== undefined && !same(own, spec.nodeName));
  if (elsewhere.some((pod) => isReady(pod) && !held(pod.spec?.nodeName ?? ''))) return 'ready';
  if (elsewhere.length > 0) return 'coming';
  return others.length > 0 ? 'nowhere' : 'none';
}

function replicaOf(own: Pod, { metadata, status }: Pod): boolean {
  const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  const equal = [NAME, INSTANCE].every((label) => metadata.labels?.[label] === own.metadata.labels?.[label]);
  return equal && !ended && metadata.uid !== own.metadata.uid && metadata.deletionTimestamp === undefined;
}

function same(own: Pod, node: string): boolean {
  return own.spec?.nodeName === node;
}

/** Whether a pod like this one may be put on a node that is cordoned. */
export function toleratesCordon({ spec }: Pod): boolean {
  return (spec?.tolerations ?? []).some(
    ({ key, operator, effect }) =>
      (key === CORDON_TAINT || (key === undefined && operator === 'Exists')) &&
      (effect === undefined || effect === '' || effect === 'NoSchedule'),
  );
}
