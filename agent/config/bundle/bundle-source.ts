import { BUNDLE_KEY, BUNDLE_LIMITS, BUNDLE_NAMESPACE, type ConfigBundle } from '#api/config-document.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { ConfigError } from '../config-error.ts';
import { NodeToken } from './node-token.ts';
import { type Expected, openBundle } from './open-bundle.ts';

interface Secret {
  data?: Record<string, string>;
}

/**
 * Where the agent gets its node's bundle from: one Secret, read with the token of the node's own account.
 *
 * @example
 * const bundles = new BundleSource(client, 'n1');
 * const { document } = await bundles.fetch({ node: { name: 'n1', uid }, hash, generation }, signal);
 */
export class BundleSource {
  readonly #client: KubeClient;
  readonly #token: NodeToken;
  readonly #path: string;

  constructor(client: KubeClient, node: string) {
    this.#client = client;
    this.#token = new NodeToken(client, node);
    this.#path = `/api/v1/namespaces/${BUNDLE_NAMESPACE}/secrets/${encodeURIComponent(node)}`;
  }

  /** Throws a ConfigError: BundleUnreachable, BundleInvalid or SchemaTooNew; or the signal's reason. */
  async fetch(expected: Expected, signal: AbortSignal): Promise<ConfigBundle> {
    return openBundle(packedIn(await this.#read(signal)), expected);
  }

  async #read(signal: AbortSignal): Promise<Secret> {
    try {
      const token = await this.#token.get(signal);
      return await this.#client.get<Secret>(this.#path, undefined, { signal, token });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      // The account may have been made anew: its old tokens are worth nothing then.
      this.#token.forget();
      if (!isKubeError(error)) throw error;
      const message = `the bundle of this node cannot be read: ${error.message}`;
      throw new ConfigError('BundleUnreachable', message, { cause: error });
    }
  }
}

function packedIn({ data }: Secret): Buffer {
  const text = data?.[BUNDLE_KEY] ?? '';
  if (text !== '' && text.length <= (BUNDLE_LIMITS.packed * 4) / 3 + 4) return Buffer.from(text, 'base64');
  const why = text === '' ? `has no key ${BUNDLE_KEY}` : 'is larger than a bundle may be';
  throw new ConfigError('BundleInvalid', `the Secret of this node ${why}; the operator writes it anew`);
}
