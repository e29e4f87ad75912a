import { readyCondition, type NodeCondition, type Pod } from '#api/meta.ts';

/** A kubelet that is back reports its pods within 10 s, and budgets are counted anew a moment later. */
const HEARD_WITHIN_MS = 60_000;

/**
 * Since when a pod that serves, as far as its own kubelet knows, is marked as not Ready, because its node was silent
 * for a while; epoch milliseconds. Undefined for any other pod, and after a minute, in which its kubelet would have
 * spoken.
 *
 * After an outage of the API server all nodes may be taken for lost for some seconds. The node controller then marks
 * their pods as not Ready, and leaves ContainersReady as it was. Such a pod must not be evicted: the API server lets a
 * pod that is not Ready go whenever the status of its budget says that enough others are healthy, and that status may
 * still be the one from before, in which this very pod was counted (k8s.io/kubernetes, registry/core/pod/rest/
 * eviction.go: unhealthyPodEvictionPolicy IfHealthyBudget).
 */
export function silencedSince(pod: Pod, now: number): number | undefined {
  if (pod.status?.phase !== 'Running') return undefined;
  const ready = readyCondition(pod);
  if (ready?.status !== 'False' || !wouldBeReady(pod)) return undefined;
  const since = Date.parse(ready.lastTransitionTime ?? '');
  // The clock of who marked it may be ahead of ours.
  return Math.abs(now - since) < HEARD_WITHIN_MS ? since : undefined;
}

/** What a kubelet makes Ready of: all containers, and the gates that the pod names. */
function wouldBeReady({ spec, status }: Pod): boolean {
  const gates = (spec?.readinessGates ?? []).map(({ conditionType }) => conditionType);
  return ['ContainersReady', ...gates].every((type) => isTrue(status?.conditions, type));
}

function isTrue(conditions: readonly NodeCondition[] | undefined, wanted: string): boolean {
  return conditions?.some(({ type, status }) => type === wanted && status === 'True') === true;
}
