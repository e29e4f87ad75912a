import { createHmac, randomBytes } from 'node:crypto';
import { BUNDLE_NAMESPACE } from '#api/config-document.ts';
import type { KubeObject } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';

const COLLECTION = `/api/v1/namespaces/${BUNDLE_NAMESPACE}/secrets`;
const NAME = 'careen-node-config-salt';

interface SaltSecret extends KubeObject {
  data?: { key?: string };
}

/**
 * What hashes of bundles are salted with, and secrets are fingerprinted by. It comes from one random key in a Secret
 * that no node can read, so that a node's salt is the same for every leader and outlives its bundle.
 */
export class Salt {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** Reads the key; the first leader makes it. */
  static async load(client: KubeClient, signal: AbortSignal): Promise<Salt> {
    const found = await read(client, signal);
    if (found !== undefined) return new Salt(found);
    const key = randomBytes(32).toString('base64');
    const metadata = { name: NAME, labels: { 'app.kubernetes.io/part-of': 'careen' } };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data: { key } };
    await client.create(COLLECTION, secret, undefined, { signal }).catch((error: unknown) => {
      if (!isKubeError(error, 'AlreadyExists')) throw error;
    });
    const made = await read(client, signal);
    if (made === undefined) throw new Error(`Secret ${BUNDLE_NAMESPACE}/${NAME} has no key of 32 bytes`);
    return new Salt(made);
  }

  /** Of one Node: 32 hex digits. */
  of(nodeUID: string): string {
    return this.#digest('node', nodeUID).slice(0, 32);
  }

  /** Stands for bytes without giving away anything of them. */
  fingerprint(bytes: Uint8Array | undefined): string {
    return bytes === undefined ? '' : this.#digest('bytes', bytes);
  }

  #digest(purpose: string, data: string | Uint8Array): string {
    return createHmac('sha256', this.#key).update(`${purpose}\0`).update(data).digest('hex');
  }
}

async function read(client: KubeClient, signal: AbortSignal): Promise<Buffer | undefined> {
  try {
    const { data } = await client.get<SaltSecret>(`${COLLECTION}/${NAME}`, undefined, { signal });
    const key = Buffer.from(data?.key ?? '', 'base64');
    return key.length === 32 ? key : undefined;
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return undefined;
    throw error;
  }
}
