import type { KubeObject } from '#api/meta.ts';
import { isNewer } from '#runtime/informer/resource-version.ts';

/** What of an informer is needed here. */
interface Cache<T> {
  get(key: string): T | undefined;
}

/**
 * An informer's objects, except where this process has written a newer one itself: a plan must never be made
 * without what the plan before it has written. Keys are names: for cluster-scoped kinds only.
 */
export class Latest<T extends KubeObject> {
  readonly #cache: Cache<T>;
  readonly #written = new Map<string, T>();

  constructor(cache: Cache<T>) {
    this.#cache = cache;
  }

  get(name: string): T | undefined {
    const cached = this.#cache.get(name);
    const written = this.#written.get(name);
    if (written === undefined) return cached;
    if (cached === undefined || isNewer(versionOf(written), versionOf(cached))) return written;
    this.#written.delete(name);
    return cached;
  }

  /** Notes what the server answered to a write. */
  wrote(object: T): void {
    this.#written.set(object.metadata.name, object);
  }

  /** Call on every change of the cache: what the server has deleted is no longer the latest. */
  seen(name: string): void {
    if (this.#cache.get(name) === undefined) this.#written.delete(name);
  }
}

function versionOf(object: KubeObject): string {
  return object.metadata.resourceVersion ?? '0';
}
