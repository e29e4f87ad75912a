import { resourcePath } from '#api/group.ts';
import type { NodeGroup, NodeState, RebootLock } from '#api/kinds.ts';
import type { KubeObject, Node, Pod } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';

/** Everything that the demo and the end-to-end tests look at, read at one go. */
export interface World {
  nodes: Node[];
  states: NodeState[];
  group: NodeGroup | undefined;
  lock: RebootLock | undefined;
  pods: Pod[];
  leaders: Leader[];
}

/** Who leads one of careen's operators, and on which node that pod is. */
export interface Leader {
  operator: string;
  pod: string;
  node: string | undefined;
  /** Milliseconds since the epoch. */
  renewedAt: number;
}

interface Lease extends KubeObject {
  spec?: { holderIdentity?: string; renewTime?: string };
}

export async function readWorld(client: KubeClient, group: string, podSelector: string): Promise<World> {
  const [nodes, states, groupObject, lock, pods, leaders] = await Promise.all([
    client.list<Node>('/api/v1/nodes'),
    client.list<NodeState>(resourcePath('NodeState')),
    orAbsent(client.get<NodeGroup>(resourcePath('NodeGroup', group))),
    orAbsent(client.get<RebootLock>(resourcePath('RebootLock', group))),
    client.list<Pod>('/api/v1/namespaces/default/pods', { labelSelector: podSelector }),
    readLeaders(client),
  ]);
  return { nodes: nodes.items, states: states.items, group: groupObject, lock, pods: pods.items, leaders };
}

/** Holders of the operators' Leases, which call themselves `<pod>_<a process of it>`. */
export async function readLeaders(client: KubeClient): Promise<Leader[]> {
  const [leases, pods] = await Promise.all([
    client.list<Lease>('/apis/coordination.k8s.io/v1/namespaces/careen-system/leases'),
    client.list<Pod>('/api/v1/namespaces/careen-system/pods'),
  ]);
  return leases.items.flatMap(({ metadata, spec }) => {
    const [pod = ''] = (spec?.holderIdentity ?? '').split('_');
    const node = pods.items.find((one) => one.metadata.name === pod)?.spec?.nodeName;
    return pod === ''
      ? []
      : [{ operator: metadata.name, pod, node, renewedAt: Date.parse(spec?.renewTime ?? '') }];
  });
}

export async function orAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** Whether every one of `names` runs `version` and rests: gate passed, no place held, nothing cordoned. */
export function allRest(
  { nodes, states, lock }: Pick<World, 'nodes' | 'states' | 'lock'>,
  names: readonly string[],
  version: string,
): boolean {
  return (
    (lock?.status?.holders ?? []).length === 0 &&
    names.every((name) => {
      const state = states.find(({ metadata }) => metadata.name === name);
      const node = nodes.find(({ metadata }) => metadata.name === name);
      return (
        state?.status?.os?.version === version &&
        ['Idle', 'Succeeded', 'RolledBack'].includes(state.status.update?.phase ?? 'Idle') &&
        state.status.bootID === node?.status?.nodeInfo?.bootID &&
        node?.spec?.unschedulable !== true
      );
    })
  );
}
