import { isDeepStrictEqual } from 'node:util';
import { BUNDLE_NAMESPACE, type ConfigDocument } from '#api/config-document.ts';
import type { NodeState } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { Informer } from '#runtime/informer/informer.ts';
import { Latest } from '#runtime/informer/latest.ts';
import { packBundle } from '../render/bundle.ts';
import { FIELD_MANAGER } from '../state/state-writer.ts';
import type { NodeObject, NodeObjectKind } from './node-objects.ts';
import {
  accountObjects,
  bundleSecret,
  DIGEST_ANNOTATION,
  GENERATION_ANNOTATION,
  HASH_ANNOTATION,
  NODE_OBJECT_KINDS,
  nodeObjectPath,
} from './node-objects.ts';
import { DIGEST, stripNodeObject } from './strip-node-object.ts';

/** What a node is to be given. */
export interface Parcel {
  node: Node;
  state: NodeState;
  hash: string;
  generation: number;
  salt: string;
}

/** What a node should have does not fit into its Secret; the message names paths and sizes, no content. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

export type NodeObjectCaches = Record<NodeObjectKind, Pick<Informer<NodeObject>, 'get' | 'list'>>;

/** Gives each node its bundle, in a Secret that only the node's own account may read. */
export class Delivery {
  readonly #client: KubeClient;
  readonly #objects: Record<NodeObjectKind, Latest<NodeObject>>;

  constructor(client: KubeClient, caches: NodeObjectCaches) {
    this.#client = client;
    const latest = (kind: NodeObjectKind) =>
      new Latest<NodeObject>({ get: (name) => caches[kind].get(`${BUNDLE_NAMESPACE}/${name}`) });
    this.#objects = {
      ServiceAccount: latest('ServiceAccount'),
      Role: latest('Role'),
      RoleBinding: latest('RoleBinding'),
      Secret: latest('Secret'),
    };
  }

  /** Call on every change of a cache. */
  seen(kind: NodeObjectKind, name: string): void {
    this.#objects[kind].seen(name);
  }

  /** Whether the node has been given just this, and may read it. */
  isDone({ state, hash, generation }: Omit<Parcel, 'node' | 'salt'>): boolean {
    const secret = this.#objects.Secret.get(state.metadata.name);
    const said = secret?.metadata.annotations ?? {};
    const isRight =
      said[HASH_ANNOTATION] === hash &&
      said[GENERATION_ANNOTATION] === String(generation) &&
      secret?.data?.[DIGEST] === said[DIGEST_ANNOTATION];
    return isRight && this.#isOwned(secret, state) && this.#missing(state).length === 0;
  }

  /** Whether anything of the node's is left. */
  hasAny(name: string): boolean {
    return NODE_OBJECT_KINDS.some((kind) => this.#objects[kind].get(name) !== undefined);
  }

  /** Writes what is not there yet. The document is asked for only then. Throws a TooLargeError or a KubeError. */
  async give(parcel: Parcel, document: () => ConfigDocument, signal: AbortSignal): Promise<void> {
    const { node, state, hash, generation, salt } = parcel;
    if (this.isDone(parcel)) return;
    const { name, uid = '' } = node.metadata;
    const packed = packBundle({ hash, salt, generation, node: { name, uid }, document: document() });
    if (!packed.ok) throw new TooLargeError(packed.message);
    for (const object of this.#missing(state)) await this.#apply(object, signal);
    await this.#apply(
      bundleSecret(state, { hash, generation, packed: packed.data.toString('base64') }),
      signal,
    );
  }

  /** Takes everything back from a node that should have nothing. */
  async take(name: string, signal: AbortSignal): Promise<void> {
    for (const kind of NODE_OBJECT_KINDS.toReversed()) {
      const found = this.#objects[kind].get(name);
      if (found === undefined) continue;
      await this.#client
        .delete(nodeObjectPath(kind, name), { uid: found.metadata.uid }, { signal })
        .catch((error: unknown) => {
          if (!isKubeError(error, 'NotFound') && !isKubeError(error, 'Conflict')) throw error;
        });
    }
  }

  #missing(state: NodeState): NodeObject[] {
    return accountObjects(state).filter((wanted) => {
      const found = this.#objects[wanted.kind as NodeObjectKind].get(state.metadata.name);
      return !this.#isOwned(found, state) || !isDeepStrictEqual(heart(found), heart(wanted));
    });
  }

  #isOwned(object: NodeObject | undefined, { metadata: { uid } }: NodeState): boolean {
    return object?.metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
  }

  async #apply(object: NodeObject, signal: AbortSignal): Promise<void> {
    const kind = object.kind as NodeObjectKind;
    const options = { fieldManager: FIELD_MANAGER, force: true };
    const path = nodeObjectPath(kind, object.metadata.name);
    this.#objects[kind].wrote(
      stripNodeObject(await this.#client.apply<NodeObject>(path, object, options, { signal })),
    );
  }
}

/** What gives rights in an object; of the rest nothing depends on. */
function heart(object: NodeObject | undefined): unknown {
  const { rules, roleRef, subjects } = object ?? {};
  return JSON.parse(JSON.stringify({ rules, roleRef, subjects }));
}
