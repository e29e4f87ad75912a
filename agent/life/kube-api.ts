import { resourcePath } from '#api/group.ts';
import type { NodeState } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import type { AgentApi } from './parts.ts';

/** Long enough for a busy API server, short enough that a dead one does not hold the loop. */
const TIMEOUT_MS = 10_000;

/** The agent's two objects on a real API server. */
export class KubeApi implements AgentApi {
  readonly #client: Pick<KubeClient, 'get' | 'mergePatch'>;
  readonly #nodePath: string;
  readonly #path: string;

  constructor(client: Pick<KubeClient, 'get' | 'mergePatch'>, nodeName: string) {
    this.#client = client;
    this.#nodePath = `/api/v1/nodes/${encodeURIComponent(nodeName)}`;
    this.#path = resourcePath('NodeState', nodeName);
  }

  node(signal?: AbortSignal): Promise<Node> {
    return this.#client.get<Node>(this.#nodePath, undefined, { signal, timeoutMs: TIMEOUT_MS });
  }

  nodeState(signal?: AbortSignal): Promise<NodeState> {
    return this.#client.get<NodeState>(this.#path, undefined, { signal, timeoutMs: TIMEOUT_MS });
  }

  patchStatus(status: object, resourceVersion?: string): Promise<NodeState> {
    const precondition = resourceVersion === undefined ? {} : { metadata: { resourceVersion } };
    const body = { ...precondition, status };
    return this.#client.mergePatch<NodeState>(`${this.#path}/status`, body, undefined, {
      timeoutMs: TIMEOUT_MS,
    });
  }
}
