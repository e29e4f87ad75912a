import { resourcePath } from '#api/group.ts';
import type { NodeConfig, NodeState } from '#api/kinds.ts';
import { isReady, type Node } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';

/** All that the story of configuration looks at, read at one go. */
export interface ConfigWorld {
  nodes: Node[];
  states: NodeState[];
  configs: NodeConfig[];
}

export async function readConfigWorld(client: KubeClient): Promise<ConfigWorld> {
  const [nodes, states, configs] = await Promise.all([
    client.list<Node>('/api/v1/nodes'),
    client.list<NodeState>(resourcePath('NodeState')),
    client.list<NodeConfig>(resourcePath('NodeConfig')),
  ]);
  return { nodes: nodes.items, states: states.items, configs: configs.items };
}

/** Whether each node has in force what it should have, is Ready, and none is left that waits. */
export function allConfigured({ nodes, states }: ConfigWorld, names: readonly string[]): boolean {
  return names.every((name) => {
    const { spec, status } = states.find(({ metadata }) => metadata.name === name) ?? {};
    const wanted = spec?.config?.hash;
    const node = nodes.find(({ metadata }) => metadata.name === name);
    const found = status?.config;
    return (
      wanted !== undefined &&
      spec?.config?.apply === true &&
      found?.phase === 'Applied' &&
      found.applied === wanted &&
      node !== undefined &&
      isReady(node)
    );
  });
}

/** Whether a NodeConfig has said what it makes of its present spec, and all its nodes have it. */
export function isRolledOut({ configs }: ConfigWorld, name: string): boolean {
  const { metadata, status } = configs.find((config) => config.metadata.name === name) ?? {};
  return (
    status?.observedGeneration === metadata?.generation &&
    status !== undefined &&
    status.total > 0 &&
    status.upToDate === status.total
  );
}
