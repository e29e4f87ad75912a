import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { BUNDLE_KEY, BUNDLE_LIMITS, BUNDLE_NAMESPACE, configBundle } from '#api/config-document.ts';
import type { ConfigBundle } from '#api/config-document.ts';
import { bundleHash } from '#api/config-hash.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { ConfigError } from '../config-error.ts';

const TIMEOUT_MS = 10_000;

/** Reads a node's bundle with a client that may. Throws `ConfigError` BundleUnreachable, BundleInvalid, SchemaTooNew. */
export async function readBundle(
  client: Pick<KubeClient, 'get'>,
  node: string,
  wanted: { hash: string },
  signal: AbortSignal,
): Promise<ConfigBundle> {
  const path = `/api/v1/namespaces/${BUNDLE_NAMESPACE}/secrets/${encodeURIComponent(node)}`;
  const secret = await client
    .get<{ data?: Record<string, string> }>(path, undefined, { signal, timeoutMs: TIMEOUT_MS })
    .catch((error: unknown) => {
      throw new ConfigError('BundleUnreachable', `${path} cannot be read: ${String(error)}`, {
        cause: error,
      });
    });
  const bundle = await unpack(secret.data?.[BUNDLE_KEY] ?? '');
  const isWanted = bundle.hash === wanted.hash && bundleHash(bundle.document, bundle.salt) === wanted.hash;
  if (!isWanted) throw new ConfigError('BundleInvalid', 'the bundle is not the one that is wanted (yet)');
  return bundle;
}

async function unpack(data: string): Promise<ConfigBundle> {
  try {
    const options = { maxOutputLength: BUNDLE_LIMITS.plain };
    const plain = await promisify(gunzip)(Buffer.from(data, 'base64'), options);
    return configBundle.parse(JSON.parse(plain.toString('utf8')));
  } catch (error) {
    throw new ConfigError('BundleInvalid', 'the bundle is damaged; the operator writes it again', {
      cause: error,
    });
  }
}
