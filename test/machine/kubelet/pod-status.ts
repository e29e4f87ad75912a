import type { NodeCondition } from '#api/meta.ts';
import type { ContainerView } from './container.ts';
import type { ContainerStatus, KubeletPod, PodStatus, StateOfContainer } from './pod.ts';

/** What a status needs besides pod and containers. `now` as the API writes times. */
export interface PodFacts {
  hostIP: string;
  podIP: string;
  now: string;
}

/** The status of a pod whose containers are as `views` say. Conditions of others are kept. */
export function podStatus(pod: KubeletPod, views: readonly ContainerView[], facts: PodFacts): PodStatus {
  const phase = phaseOf(pod, views);
  const started = phase !== 'Pending';
  return {
    phase,
    hostIP: facts.hostIP,
    ...(started && { podIP: facts.podIP, podIPs: [{ ip: facts.podIP }] }),
    startTime: pod.status?.startTime ?? facts.now,
    conditions: conditions(pod, views, facts.now, phase),
    containerStatuses: views.map(containerStatus),
  };
}

/** Everything in a status that is worth a write when it changes. */
export function digest(status: PodStatus | undefined): string {
  const conditions = (status?.conditions ?? [])
    .filter(({ type }) => OWN.has(type))
    .map((condition) => `${condition.type}=${condition.status}`)
    .toSorted();
  const containers = (status?.containerStatuses ?? []).map(containerDigest).toSorted();
  return [status?.phase, ...conditions, ...containers].join('; ');
}

function containerDigest(status: ContainerStatus): string {
  const { name, ready, restartCount, containerID = '', state } = status;
  return [name, ready, restartCount, containerID, stateDigest(state)].join(' ');
}

const OWN = new Set(['Initialized', 'PodReadyToStartContainers', 'ContainersReady', 'Ready']);

function stateDigest(state: StateOfContainer): string {
  return state.waiting?.reason ?? (state.running ? 'running' : `exit ${state.terminated?.exitCode}`);
}

/** Kubernetes' own rule: docs/concepts/workloads/pods/pod-lifecycle, "Pod phase". */
function phaseOf(pod: KubeletPod, views: readonly ContainerView[]): string {
  const policy = pod.spec.restartPolicy ?? 'Always';
  const exits = views.map((view) => view.state.terminated?.exitCode);
  const done = policy !== 'Always' && exits.every((code) => code !== undefined);
  if (done && exits.every((code) => code === 0)) return 'Succeeded';
  if (done && policy === 'Never') return 'Failed';
  const begun = views.every((view) => view.id !== undefined || view.restarts > 0);
  return begun ? 'Running' : 'Pending';
}

function conditions(
  pod: KubeletPod,
  views: readonly ContainerView[],
  now: string,
  phase: string,
): NodeCondition[] {
  const old = pod.status?.conditions ?? [];
  const ready = phase === 'Running' && views.every((view) => view.ready);
  const wanted: [string, boolean][] = [
    ['PodReadyToStartContainers', true],
    ['Initialized', true],
    ['Ready', ready],
    ['ContainersReady', ready],
  ];
  const own = wanted.map(([type, holds]) => condition(old, type, holds, now, phase));
  return [...old.filter(({ type }) => !OWN.has(type)), ...own];
}

function condition(
  old: readonly NodeCondition[],
  type: string,
  holds: boolean,
  now: string,
  phase: string,
): NodeCondition {
  const status = holds ? 'True' : 'False';
  const before = old.find((each) => each.type === type);
  const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? now) : now;
  if (holds) return { type, status, lastTransitionTime };
  const reason = phase === 'Succeeded' ? 'PodCompleted' : 'ContainersNotReady';
  return { type, status, reason, lastTransitionTime };
}

function containerStatus(view: ContainerView): ContainerStatus {
  return {
    name: view.name,
    image: view.image,
    imageID: '',
    ...(view.id !== undefined && { containerID: view.id }),
    ready: view.ready,
    started: view.state.running !== undefined,
    restartCount: view.restarts,
    state: view.state,
    lastState: view.last,
  };
}
