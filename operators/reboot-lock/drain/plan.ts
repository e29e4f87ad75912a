import type { DrainPolicy } from '#api/node-group.ts';
import type { Pod } from '#api/meta.ts';
import { isCrew, isSelf, patience, toleratesCordon, type Self, type Standby } from './crew.ts';
import { treatment, type MissingDaemonSets, type Treatment } from './filter.ts';
import { silencedSince } from './silenced.ts';

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
  /** The operator itself stays, and could not be scheduled again while the node is cordoned. */
  lift?: true;
}

export interface DrainPlan extends DrainState {
  /** Pods to evict, or to delete when forced, now. */
  evict: readonly Pod[];
  /** Nothing is left that must leave but careen's own operators. */
  crewOnly: boolean;
  /** The operator's own pod is the last one: who could take over has to be known. */
  own?: Pod;
}

export interface DrainInput {
  pods: readonly Pod[];
  policy: DrainPolicy;
  missing: MissingDaemonSets;
  /** By pod UID. */
  attempts: ReadonlyMap<string, Attempt>;
  now: number;
  force: boolean;
  self?: Self | undefined;
  /** Since when nothing but careen's operators is left; epoch milliseconds. */
  crewSince?: number | undefined;
  standby?: Standby | undefined;
}

interface Left {
  pod: Pod;
  what: Exclude<Treatment, { stay: string }>;
}

/**
 * Decides what to evict next from what is on the node now; gone means gone by UID, so a list is enough. The
 * operator's own pod is the last to go, and only when another replica can take over; careen's operators that
 * cannot go anywhere stay, as the pods of DaemonSets do.
 */
export function planDrain(input: DrainInput): DrainPlan {
  const left = leftOf(input);
  const crewOnly = left.every(({ pod, what }) => isCrew(pod, input.self) && 'evict' in what);
  const own = left.find(({ pod }) => isSelf(pod, input.self))?.pod;
  const staying = crewOnly ? left.filter((one) => stays(one, left, input)) : [];
  const remaining = left.length - staying.length;
  const evict = left
    .filter((one) => one.pod !== own || (crewOnly && input.standby === 'ready' && remaining === 1))
    .filter((one) => !staying.includes(one) && isDue(one, input))
    .map(({ pod }) => pod);
  const [blocked] = left.flatMap((one) => stuck(one, input)).toSorted((a, b) => a.since - b.since);
  const done = remaining === 0;
  return {
    done,
    remaining,
    evict,
    crewOnly: crewOnly && left.length > 0,
    ...(crewOnly && own !== undefined ? { own } : {}),
    ...(done && own !== undefined && mustLift(own, input) ? { lift: true } : {}),
    ...(done || blocked === undefined ? {} : { blocked }),
  };
}

function leftOf({ pods, policy, missing, force }: DrainInput): Left[] {
  const applied = force ? { ...policy, force: true, deleteEmptyDirData: true } : policy;
  const left: Left[] = [];
  for (const pod of pods) {
    const what = treatment(pod, applied, missing);
    if (!('stay' in what)) left.push({ pod, what });
  }
  return left;
}

/** Whether one of careen's operators is left where it is, when nothing else is left. */
function stays({ pod }: Left, left: readonly Left[], input: DrainInput): boolean {
  const { self, crewSince, now, standby, attempts, policy } = input;
  const patienceMs = patience(policy);
  const patient = crewSince !== undefined && now - crewSince >= patienceMs;
  if (!isSelf(pod, self)) return patient;
  if (standby === 'none') return patient || left.length === 1;
  if (standby !== 'ready') return patient && standby !== undefined;
  const refusedSince = attempts.get(pod.metadata.uid ?? '')?.since ?? now;
  return now - refusedSince >= patienceMs;
}

/** Nobody else may be there to lift the cordon when the node is back, and nothing can be scheduled while it is on. */
function mustLift(own: Pod, { standby }: DrainInput): boolean {
  return (standby === 'none' || standby === 'nowhere') && !toleratesCordon(own);
}

function isDue({ pod, what }: Left, { attempts, force, now }: DrainInput): boolean {
  if (!('evict' in what)) return false;
  if (force) return true;
  return (
    silencedSince(pod, now) === undefined && (attempts.get(pod.metadata.uid ?? '')?.notBefore ?? 0) <= now
  );
}

const SILENCED = 'was not heard of while its node was silent; its kubelet is waited for';

type Stuck = { message: string; since: number };

function stuck({ pod, what }: Left, { attempts, now, self, crewSince = now, standby }: DrainInput): Stuck[] {
  const name = nameOf(pod);
  if ('leaving' in what) return overdue(pod, now);
  if ('refused' in what) return [{ message: `pod ${name} ${what.refused}`, since: now }];
  const attempt = attempts.get(pod.metadata.uid ?? '');
  if (attempt !== undefined)
    return [{ message: `pod ${name} cannot leave: ${attempt.why}`, since: attempt.since }];
  const silenced = silencedSince(pod, now);
  if (silenced !== undefined) return [{ message: `pod ${name} ${SILENCED}`, since: silenced }];
  if (!isSelf(pod, self) || standby === undefined || standby === 'ready') return [];
  return [
    { message: `pod ${name} leads, and no other replica is Ready on another node yet`, since: crewSince },
  ];
}

export function nameOf({ metadata }: Pod): string {
  return `${metadata.namespace}/${metadata.name}`;
}

const SLACK_MS = 10_000;

/** A pod past its grace period is held by a finalizer or by a kubelet that does not answer. */
function overdue({ metadata, ...pod }: Pod, now: number): Stuck[] {
  // deletionTimestamp already includes the grace period.
  const due = Date.parse(metadata.deletionTimestamp ?? '');
  if (!(now - due > SLACK_MS)) return [];
  const finalizers = metadata.finalizers ?? [];
  const why =
    finalizers.length > 0 ? `has finalizers ${finalizers.join(', ')}` : 'is not ended by its kubelet';
  return [{ message: `pod ${nameOf({ metadata, ...pod })} was told to end and ${why}`, since: due }];
}
