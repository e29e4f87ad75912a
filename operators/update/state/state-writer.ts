import { API_VERSION, resourcePath } from '#api/group.ts';
import type { NodeState } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { WantedUpdate } from '../rollout/facts.ts';
import type { Latest } from '#runtime/informer/latest.ts';

export const FIELD_MANAGER = 'careen-update';

/** The Node that a write was meant for is not there any more, or is another one of its name. */
export class NodeGoneError extends Error {
  override readonly name = 'NodeGoneError';
}

/**
 * Makes NodeStates and applies `spec.update` to them. Every write names the version of the object that it was
 * decided on: if the agent has reported meanwhile, such as that it reboots now, the write fails with `Conflict`
 * and is decided anew.
 */
export class StateWriter {
  readonly #client: KubeClient;
  readonly #states: Latest<NodeState>;

  constructor(client: KubeClient, states: Latest<NodeState>) {
    this.#client = client;
    this.#states = states;
  }

  /** The node's own NodeState; one that is left over from an earlier Node of the same name is not. */
  stateOf(node: Node): NodeState | undefined {
    const state = this.#states.get(node.metadata.name);
    return state === undefined || isLeftOver(state, node) ? undefined : state;
  }

  async write(node: Node, update: WantedUpdate, signal: AbortSignal): Promise<NodeState> {
    const { name } = node.metadata;
    const found = this.#states.get(name);
    const isReplaced = found !== undefined && isLeftOver(found, node);
    if (isReplaced) await this.#remove(found, node, signal);
    const known = found === undefined || isReplaced ? {} : preconditions(found);
    const body = {
      apiVersion: API_VERSION,
      kind: 'NodeState',
      metadata: { name, ...known, ownerReferences: [ownedBy(node)] },
      spec: { update },
    };
    // Forced: what is not the operator's was written over its fields by hand, and would block it for good.
    const options = { fieldManager: FIELD_MANAGER, force: true };
    const written = await this.#client.apply<NodeState>(resourcePath('NodeState', name), body, options, {
      signal,
    });
    this.#states.wrote(written);
    return written;
  }

  /** Deletes a NodeState of an earlier Node, after the server confirmed that the Node is the one known here. */
  async #remove(state: NodeState, node: Node, signal: AbortSignal): Promise<void> {
    const { name, uid } = node.metadata;
    const live = await this.#client.get<Node>(`/api/v1/nodes/${encodeURIComponent(name)}`, undefined, {
      signal,
    });
    if (live.metadata.uid !== uid)
      throw new NodeGoneError(`Node ${name} was replaced; waiting to see the new one`);
    try {
      await this.#client.delete(resourcePath('NodeState', name), { uid: state.metadata.uid }, { signal });
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error;
    }
  }
}

function isLeftOver(state: NodeState, node: Node): boolean {
  const owner = state.metadata.ownerReferences?.find(({ kind }) => kind === 'Node');
  return owner !== undefined && owner.uid !== node.metadata.uid;
}

function preconditions({ metadata: { uid, resourceVersion } }: NodeState) {
  return { uid, resourceVersion };
}

function ownedBy({ metadata: { name, uid } }: Node) {
  return { apiVersion: 'v1', kind: 'Node', name, uid };
}
