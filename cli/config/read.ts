import { resourcePath } from '#api/group.ts';
import type { NodeConfig, NodeState, RebootWindow, RenderedConfig } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';

/** What the commands read. Lists are as the server has them now, never cached. */

export async function nodeConfigs(client: KubeClient): Promise<NodeConfig[]> {
  return (await client.list<NodeConfig>(resourcePath('NodeConfig'))).items;
}

export async function renderedConfigs(client: KubeClient): Promise<RenderedConfig[]> {
  return (await client.list<RenderedConfig>(resourcePath('RenderedConfig'))).items;
}

export async function windows(client: KubeClient): Promise<RebootWindow[]> {
  return (await client.list<RebootWindow>(resourcePath('RebootWindow'))).items;
}

/** Nodes by the names given, or all; @throws Error naming one that does not exist. */
export async function nodes(client: KubeClient, names: readonly string[] = []): Promise<Node[]> {
  if (names.length === 0) return (await client.list<Node>('/api/v1/nodes')).items;
  return Promise.all(
    names.map((name) => named<Node>(client, `/api/v1/nodes/${encodeURIComponent(name)}`, `node ${name}`)),
  );
}

/** States of nodes by the names given, or of all that have one, in the order of their names. */
export async function nodeStates(client: KubeClient, names: readonly string[]): Promise<NodeState[]> {
  if (names.length === 0) return (await client.list<NodeState>(resourcePath('NodeState'))).items;
  return Promise.all(
    names.map((name) => named<NodeState>(client, resourcePath('NodeState', name), `a NodeState of ${name}`)),
  );
}

/** @throws Error when there is no such object */
export async function named<T>(client: KubeClient, path: string, what: string): Promise<T> {
  try {
    return await client.get<T>(path);
  } catch (error) {
    if (isKubeError(error, 'NotFound')) throw new Error(`there is no ${what}`, { cause: error });
    throw error;
  }
}
