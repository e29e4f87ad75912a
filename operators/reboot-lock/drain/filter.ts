import type { DrainPolicy } from '#api/node-group.ts';
import type { OwnerReference, Pod } from '#api/meta.ts';
import { matches } from '#api/selector.ts';

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/** What a drain does with a pod, by kubectl's rules and in their order (k8s.io/kubectl/pkg/drain, filters.go). */
export type Treatment =
  /** Stays on the node: managed by a DaemonSet, static, or excluded by the policy. */
  | { stay: string }
  /** On its way out already; only waited for. */
  | { leaving: true }
  | { evict: true }
  /** Would have to go, but the policy does not allow it: the drain is blocked until a person acts. */
  | { refused: string };

/** DaemonSets that were looked for and do not exist, as `namespace/name`. */
export type MissingDaemonSets = ReadonlySet<string>;

export function treatment(pod: Pod, policy: DrainPolicy, missing: MissingDaemonSets): Treatment {
  if (pod.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) return { stay: 'static pod' };
  if (policy.skipPodSelector && matches(policy.skipPodSelector, pod.metadata.labels))
    return { stay: 'excluded' };
  const controller = controllerOf(pod);
  const managed = controller?.kind === 'DaemonSet' && !missing.has(daemonSetOf(pod, controller));
  if (managed && !finished(pod)) return { stay: 'DaemonSet' };
  if (pod.metadata.deletionTimestamp !== undefined) return { leaving: true };
  if (finished(pod)) return { evict: true };
  return emptyDir(pod, policy) ?? unmanaged(controller, policy) ?? { evict: true };
}

export function controllerOf(pod: Pod): OwnerReference | undefined {
  return pod.metadata.ownerReferences?.find(({ controller }) => controller === true);
}

/** The DaemonSet that a pod says it belongs to, as `namespace/name`. */
export function daemonSetOf(pod: Pod, controller: OwnerReference): string {
  return `${pod.metadata.namespace}/${controller.name}`;
}

function finished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

function emptyDir(pod: Pod, { deleteEmptyDirData }: DrainPolicy): Treatment | undefined {
  if (deleteEmptyDirData || !pod.spec?.volumes?.some(({ emptyDir }) => emptyDir !== undefined))
    return undefined;
  return { refused: 'has emptyDir data; set drain.deleteEmptyDirData or delete the pod' };
}

function unmanaged(controller: OwnerReference | undefined, { force }: DrainPolicy): Treatment | undefined {
  if (force || (controller !== undefined && controller.kind !== 'DaemonSet')) return undefined;
  const why = controller === undefined ? 'has no controller' : 'belongs to a DaemonSet that does not exist';
  return { refused: `${why} and would not come back; set drain.force or delete the pod` };
}
