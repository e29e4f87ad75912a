import { API_VERSION, resourcePath } from '#api/group.ts';
import type { NodeState } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { ConfigWanted } from '#api/node-config-state.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import type { Latest } from '#runtime/informer/latest.ts';

export const FIELD_MANAGER = 'careen-node-config';

/**
 * Applies `spec.config` to NodeStates that there are; `operators/update` makes them. Every write names the version of
 * the object that it was decided on: if the agent has reported meanwhile, such as that it begins, the write fails
 * with `Conflict` and is decided anew. So the generation only ever goes up.
 */
export class StateWriter {
  readonly #client: KubeClient;
  readonly #states: Latest<NodeState>;

  constructor(client: KubeClient, states: Latest<NodeState>) {
    this.#client = client;
    this.#states = states;
  }

  /** The node's own NodeState; one that is left over from an earlier Node of the same name is not. */
  stateOf({ metadata: { name, uid } }: Node): NodeState | undefined {
    const state = this.#states.get(name);
    const owners = state?.metadata.ownerReferences ?? [];
    const isOwn = owners.some((owner) => owner.kind === 'Node' && owner.uid === uid);
    return isOwn && state?.metadata.deletionTimestamp === undefined ? state : undefined;
  }

  async write(state: NodeState, config: ConfigWanted, signal: AbortSignal): Promise<NodeState> {
    const { name, uid, resourceVersion } = state.metadata;
    const metadata = { name, uid, resourceVersion };
    const body = { apiVersion: API_VERSION, kind: 'NodeState', metadata, spec: { config } };
    // Forced: what is not the operator's was written over its fields by hand, and would block it for good.
    const options = { fieldManager: FIELD_MANAGER, force: true };
    const path = resourcePath('NodeState', name);
    const written = await this.#client.apply<NodeState>(path, body, options, { signal });
    this.#states.wrote(written);
    return written;
  }
}
