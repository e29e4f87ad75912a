import { setTimeout as delay } from 'node:timers/promises';
import type { KubeObject } from '#api/meta.ts';
import type { KubeClient } from '../client/client.ts';
import { isKubeError } from '../client/error.ts';
import type { WatchEvent } from '../client/watch.ts';
import type { Log } from '../log/log.ts';
import { type Backoff, backoffMs } from '../queue/backoff.ts';
import { isNewer } from './resource-version.ts';
import { stripManagedFields } from './strip.ts';

export interface WatchObjectOptions<T extends KubeObject> {
  client: KubeClient;
  /** Of the collection, such as `/apis/careen.dev/v1alpha1/nodestates`. */
  path: string;
  name: string;
  /** With the object's present state: at first, after every change, and undefined while it does not exist. */
  onObject: (object: T | undefined) => void;
  signal: AbortSignal;
  /** Whenever the server is heard of; for staleness. */
  onHeard?: (() => void) | undefined;
  log?: Log | undefined;
  backoff?: Backoff | undefined;
}

/** Thousands of agents ask again after the API server was away: not all at once, and not too often. */
const RESTART = { baseMs: 500, maxMs: 30_000 };

/**
 * Follows one object by name until the signal aborts: the agent's only watch. Lighter than an Informer (no
 * cache, none of client-node's models) with the same endurance. Never rejects.
 */
export async function watchObject<T extends KubeObject>(options: WatchObjectOptions<T>): Promise<void> {
  const { signal, log, name, backoff = RESTART } = options;
  const follower = new Follower<T>(options);
  while (!signal.aborted) {
    try {
      await follower.follow();
    } catch (error) {
      if (signal.aborted) return;
      follower.failed(error);
      if (!isKubeError(error, 'Gone')) log?.warn('watch failed', { error, name });
    }
    const ms = backoffMs(follower.failures, backoff, Math.random());
    await delay(ms, undefined, { signal }).catch(() => undefined);
  }
}

class Follower<T extends KubeObject> {
  readonly #options: WatchObjectOptions<T>;
  readonly #query: { fieldSelector: string };
  /** The version up to which everything was told; undefined when it must be read anew. */
  #seen: string | undefined;
  failures = 0;

  constructor(options: WatchObjectOptions<T>) {
    this.#options = options;
    this.#query = { fieldSelector: `metadata.name=${options.name}` };
  }

  /** One watch, from where the last one ended, else from a fresh read. */
  async follow(): Promise<void> {
    const { client, path, signal, onHeard } = this.#options;
    this.#seen ??= await this.#read();
    const timeoutSeconds = Math.round(240 + 120 * Math.random());
    const query = { ...this.#query, resourceVersion: this.#seen, allowWatchBookmarks: true, timeoutSeconds };
    for await (const event of client.watch<T>(path, query, { signal, onHeard })) this.#take(event);
    this.failures = 1;
  }

  failed(error: unknown): void {
    this.failures += 1;
    // Compacted away, or ahead of a store that was restored: only a fresh read helps.
    if (!isKubeError(error) || error.status === 410 || error.causes.length > 0) this.#seen = undefined;
  }

  async #read(): Promise<string> {
    const { client, path, signal, onHeard } = this.#options;
    const { items, resourceVersion } = await client.list<T>(path, this.#query, { signal });
    onHeard?.();
    this.#tell(items[0]);
    return resourceVersion;
  }

  #take({ type, object }: WatchEvent<T>): void {
    const version = object.metadata.resourceVersion ?? '';
    if (!isNewer(version, this.#seen ?? '')) return;
    this.#seen = version;
    this.failures = 0;
    if (type === 'DELETED') this.#tell(undefined);
    else if (type !== 'BOOKMARK') this.#tell(object);
  }

  #tell(object: T | undefined): void {
    try {
      this.#options.onObject(object && stripManagedFields(object));
    } catch (error) {
      this.#options.log?.error('a change handler failed', { error, name: this.#options.name });
    }
  }
}
