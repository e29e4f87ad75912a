import { BUNDLE_NAMESPACE } from '#api/config-document.ts';
import type { KubeClient } from '#runtime/client/client.ts';

/** The shortest life that the API server gives a token. */
const SECONDS = 600;
/** A token is used for half its life: clocks differ. */
const USED_MS = (SECONDS * 1000) / 2;

interface TokenRequest {
  status: { token: string };
}

/**
 * Tokens of the node's own account, which reads the node's bundle and nothing else. The agent asks for them with its
 * own token; an admission policy lets it ask for those of its own node only.
 */
export class NodeToken {
  readonly #client: KubeClient;
  readonly #node: string;
  #token: { text: string; at: number } | undefined;

  constructor(client: KubeClient, node: string) {
    this.#client = client;
    this.#node = node;
  }

  /** Throws a KubeError. */
  async get(signal: AbortSignal): Promise<string> {
    if (this.#token !== undefined && performance.now() - this.#token.at < USED_MS) return this.#token.text;
    const at = performance.now();
    const path = `/api/v1/namespaces/${BUNDLE_NAMESPACE}/serviceaccounts/${encodeURIComponent(this.#node)}/token`;
    const spec = { expirationSeconds: SECONDS };
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
    const { status } = await this.#client.create<TokenRequest>(path, body, undefined, { signal });
    this.#token = { text: status.token, at };
    return status.token;
  }

  /** The next call asks for a new one, as after it was refused. */
  forget(): void {
    this.#token = undefined;
  }
}
