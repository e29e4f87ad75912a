import type { KubeObject } from '#api/meta.ts';

/**
 * Remembers what our own writes and live reads returned until the cache has caught up, so that a decision does not start from
 * a view that lacks them. Live reads before each write keep it correct without this; it saves the requests.
 */
export class Newest<T extends KubeObject> {
  readonly #written = new Map<string, T>();

  /** Of one object the newest version is kept, in whatever order answers arrive. */
  put(object: T): T {
    const before = this.#written.get(object.metadata.name);
    const same = before !== undefined && before.metadata.uid === object.metadata.uid;
    if (!same || version(before) <= version(object)) this.#written.set(object.metadata.name, object);
    return object;
  }

  /** The newer of the cached object and what was written; resource versions of one object grow. */
  pick(cached: T): T {
    const written = this.#written.get(cached.metadata.name);
    if (written === undefined) return cached;
    if (written.metadata.uid === cached.metadata.uid && version(written) > version(cached)) return written;
    this.#written.delete(cached.metadata.name);
    return cached;
  }
}

function version({ metadata }: KubeObject): bigint {
  const text = metadata.resourceVersion ?? '';
  return /^[0-9]+$/.test(text) ? BigInt(text) : 0n;
}
