import type { KubeObject, NodeCondition, ObjectMeta } from '#api/meta.ts';

/** The parts of a Pod that a kubelet acts on. */
export interface KubeletPod extends KubeObject {
  metadata: ObjectMeta & { deletionGracePeriodSeconds?: number };
  spec: PodSpec;
  status?: PodStatus;
}

export interface PodSpec {
  nodeName?: string;
  hostNetwork?: boolean;
  serviceAccountName?: string;
  restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  terminationGracePeriodSeconds?: number;
  containers: PodContainer[];
  initContainers?: PodContainer[];
  volumes?: { name: string; projected?: { sources?: ProjectedSource[] } }[];
}

interface ProjectedSource {
  serviceAccountToken?: { audience?: string; expirationSeconds?: number; path: string };
}

export interface PodContainer {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: EnvVar[];
  readinessProbe?: { httpGet?: { path?: string }; periodSeconds?: number };
}

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: { fieldRef?: { fieldPath: string } };
}

export interface PodStatus {
  phase?: string;
  startTime?: string;
  hostIP?: string;
  podIP?: string;
  conditions?: NodeCondition[];
  containerStatuses?: ContainerStatus[];
}

export interface ContainerStatus {
  name: string;
  image: string;
  imageID: string;
  containerID?: string;
  ready: boolean;
  started: boolean;
  restartCount: number;
  state: StateOfContainer;
  lastState: StateOfContainer;
}

export interface StateOfContainer {
  waiting?: { reason: string; message?: string };
  running?: { startedAt: string };
  terminated?: { exitCode: number; reason: string; startedAt: string; finishedAt: string };
}

export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/** `namespace/name`, as informers key it. */
export function podKey(pod: KubeObject): string {
  return `${pod.metadata.namespace ?? 'default'}/${pod.metadata.name}`;
}

export function podPath(pod: KubeObject): string {
  return `/api/v1/namespaces/${pod.metadata.namespace ?? 'default'}/pods/${pod.metadata.name}`;
}

export function isFinished(pod: KubeletPod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
