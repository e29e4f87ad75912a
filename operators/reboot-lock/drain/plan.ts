import type { DrainPolicy } from '#api/node-group.ts';
import type { Pod } from '#api/meta.ts';
import { treatment, type MissingDaemonSets } from './filter.ts';

/** What became of the last attempt to evict a pod. */
export interface Attempt {
  /** First refusal, epoch milliseconds. */
  since: number;
  /** Not again before this instant. */
  notBefore: number;
  /** Why the pod stays, naming its PodDisruptionBudget. */
  why: string;
}

/** Where a drain stands. `done`: nothing that must leave is on the node any more. */
export interface DrainState {
  done: boolean;
  remaining: number;
  /** The pod that has been stuck longest, and why. */
  blocked?: { message: string; since: number };
}

export interface DrainPlan extends DrainState {
  /** Pods to evict, or to delete when forced, now. */
  evict: readonly Pod[];
}

export interface DrainInput {
  pods: readonly Pod[];
  policy: DrainPolicy;
  missing: MissingDaemonSets;
  /** By pod UID. */
  attempts: ReadonlyMap<string, Attempt>;
  now: number;
  force: boolean;
}

/** Decides what to evict next from what is on the node now; gone means gone by UID, so a list is enough. */
export function planDrain({ pods, policy, missing, attempts, now, force }: DrainInput): DrainPlan {
  const evict: Pod[] = [];
  const stuck: { message: string; since: number }[] = [];
  let remaining = 0;
  for (const pod of pods) {
    const what = treatment(
      pod,
      force ? { ...policy, force: true, deleteEmptyDirData: true } : policy,
      missing,
    );
    if ('stay' in what) continue;
    remaining += 1;
    const attempt = attempts.get(pod.metadata.uid ?? '');
    if ('refused' in what) stuck.push({ message: `pod ${nameOf(pod)} ${what.refused}`, since: now });
    if (attempt !== undefined && !('leaving' in what)) {
      stuck.push({ message: `pod ${nameOf(pod)} cannot leave: ${attempt.why}`, since: attempt.since });
    }
    if ('leaving' in what) stuck.push(...overdue(pod, now));
    if ('evict' in what && (force || (attempt?.notBefore ?? 0) <= now)) evict.push(pod);
  }
  const [blocked] = stuck.toSorted((a, b) => a.since - b.since);
  return { done: remaining === 0, remaining, evict, ...(blocked === undefined ? {} : { blocked }) };
}

export function nameOf({ metadata }: Pod): string {
  return `${metadata.namespace}/${metadata.name}`;
}

const SLACK_MS = 10_000;

/** A pod past its grace period is held by a finalizer or by a kubelet that does not answer. */
function overdue({ metadata, ...pod }: Pod, now: number): { message: string; since: number }[] {
  // deletionTimestamp already includes the grace period.
  const due = Date.parse(metadata.deletionTimestamp ?? '');
  if (!(now - due > SLACK_MS)) return [];
  const finalizers = metadata.finalizers ?? [];
  const why =
    finalizers.length > 0 ? `has finalizers ${finalizers.join(', ')}` : 'is not ended by its kubelet';
  return [{ message: `pod ${nameOf({ metadata, ...pod })} was told to end and ${why}`, since: due }];
}
