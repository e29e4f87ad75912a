import { isDeepStrictEqual } from 'node:util';
import type { Node, NodeCondition, ObjectMeta } from '#api/meta.ts';

/** What a kubelet says about its machine. */
export interface NodeFacts {
  name: string;
  hostIP: string;
  labels: Readonly<Record<string, string>>;
  taints: readonly { key: string; value?: string; effect: string }[];
  bootID: string;
  machineID: string;
  kernel: string;
  osImage: string;
}

/** The node's own opinion on whether it can run pods. */
export interface Readiness {
  ready: boolean;
  reason: string;
  message: string;
}

export type NodeStatus = NonNullable<Node['status']> & Record<'capacity' | 'allocatable', object>;

/** The Node that a kubelet creates at its first start. */
export function nodeObject(facts: NodeFacts): { metadata: ObjectMeta; [field: string]: unknown } {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: facts.name,
      labels: {
        'kubernetes.io/hostname': facts.name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        ...facts.labels,
      },
    },
    ...(facts.taints.length > 0 && { spec: { taints: facts.taints } }),
  };
}

/** The status to post; undefined when the API already has it. Conditions of others are kept. */
export function nodeStatus(
  node: Node,
  facts: NodeFacts,
  readiness: Readiness,
  now: string,
): NodeStatus | undefined {
  const old = node.status?.conditions ?? [];
  const own = ownConditions(readiness).map((condition) => stamped(condition, old, now));
  const info = nodeInfo(facts);
  const same = own.every((condition) => isPosted(condition, old)) && hasInfo(node, info);
  if (same) return undefined;
  const types = new Set(own.map(({ type }) => type));
  const resources = { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '50Gi' };
  return {
    addresses: [
      { type: 'InternalIP', address: facts.hostIP },
      { type: 'Hostname', address: facts.name },
    ],
    conditions: [...old.filter(({ type }) => !types.has(type)), ...own],
    nodeInfo: info,
    capacity: resources,
    allocatable: resources,
  };
}

function nodeInfo(facts: NodeFacts): Record<string, string> {
  return {
    machineID: facts.machineID,
    systemUUID: facts.machineID,
    bootID: facts.bootID,
    kernelVersion: facts.kernel,
    osImage: facts.osImage,
    containerRuntimeVersion: 'simulated://1',
    kubeletVersion: 'v1.36.0',
    kubeProxyVersion: '',
    operatingSystem: 'linux',
    architecture: 'amd64',
  };
}

function hasInfo(node: Node, info: Record<string, string>): boolean {
  const posted: Record<string, string> = { ...node.status?.nodeInfo };
  return Object.entries(info).every(([field, value]) => isDeepStrictEqual(posted[field] ?? '', value));
}

function ownConditions({ ready, reason, message }: Readiness): NodeCondition[] {
  return [
    pressure('MemoryPressure', 'KubeletHasSufficientMemory'),
    pressure('DiskPressure', 'KubeletHasNoDiskPressure'),
    pressure('PIDPressure', 'KubeletHasSufficientPID'),
    { type: 'Ready', status: ready ? 'True' : 'False', reason, message },
  ];
}

function pressure(type: string, reason: string): NodeCondition {
  return { type, status: 'False', reason, message: '' };
}

function isPosted(condition: NodeCondition, old: readonly NodeCondition[]): boolean {
  const posted = old.find(({ type }) => type === condition.type);
  return posted?.status === condition.status && posted.reason === condition.reason;
}

function stamped(condition: NodeCondition, old: readonly NodeCondition[], now: string): NodeCondition {
  const before = old.find(({ type }) => type === condition.type);
  const changed = before?.status !== condition.status;
  const lastTransitionTime = changed ? now : (before?.lastTransitionTime ?? now);
  return { ...condition, lastHeartbeatTime: now, lastTransitionTime };
}
