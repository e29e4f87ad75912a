import type { KubeObject } from '#api/meta.ts';
import type { KubeClient, Query } from '../client/client.ts';
import { isKubeError } from '../client/error.ts';
import { isNewer } from './resource-version.ts';

type Callback = (type: string, object: KubeObject) => void;
type Done = (error: unknown) => void;

/** How client-node's ListWatch is told that its resource version is of no use any more: it lists again. */
const EXPIRED = { statusCode: 410 };

export interface WatchSourceOptions {
  client: KubeClient;
  query: Query;
  random: () => number;
  onHeard: () => void;
  strip: (object: KubeObject) => KubeObject;
}

/** Two watches of one informer never begin closer together than this: a server that hangs up is not hammered. */
const CLOSEST_MS = 250;

/**
 * Stands in for client-node's Watch under its ListWatch: over our own pooled connection, with bookmarks,
 * a limit that the server keeps, replays dropped and broken events turned into a reconnect.
 */
export class WatchSource {
  readonly #options: WatchSourceOptions;
  #current: AbortController | undefined;
  #stopped = false;
  #relist = false;
  #lastStart = -Infinity;
  /** The latest version that was heard of: of the list, an event or a bookmark. */
  #seen = '';

  constructor(options: WatchSourceOptions) {
    this.#options = options;
  }

  /** A list begins the count anew, also backwards: etcd may have been restored from a backup. */
  listed(resourceVersion: string): void {
    this.#seen = resourceVersion;
  }

  /** Ends the present watch so that everything is listed again. */
  relist(): void {
    this.#relist = true;
    this.#current?.abort();
  }

  stop(): void {
    this.#stopped = true;
    this.#current?.abort();
  }

  /** The interface that ListWatch calls. Calls `done` exactly once, unless stopped. */
  watch(path: string, query: Query, callback: Callback, done: Done): Promise<AbortController> {
    const controller = new AbortController();
    this.#current = controller;
    if (this.#stopped) controller.abort();
    else void this.#run(path, query, callback, controller.signal).then((error) => this.#end(error, done));
    return Promise.resolve(controller);
  }

  #end(error: unknown, done: Done): void {
    if (this.#stopped) return;
    const expired = this.#relist || isExpired(error);
    this.#relist = false;
    done(expired ? EXPIRED : error);
  }

  /** Resolves with the error that ended the watch, or null when the server closed it. */
  async #run(path: string, query: Query, callback: Callback, signal: AbortSignal): Promise<unknown> {
    const { client, random, onHeard, strip } = this.#options;
    try {
      await this.#pace();
      if (signal.aborted) return null;
      const limits = { allowWatchBookmarks: true, timeoutSeconds: Math.round(240 + 120 * random()) };
      const all = { ...this.#options.query, ...limits, ...query };
      for await (const { type, object } of client.watch<KubeObject>(path, all, { signal, onHeard })) {
        if (this.#isReplay(object)) continue;
        callback(type, type === 'BOOKMARK' ? object : strip(object));
      }
      return null;
    } catch (error) {
      return error;
    }
  }

  /** The server sends each change once and in order; whatever is not later than the last is a repetition. */
  #isReplay(object: KubeObject): boolean {
    const version = object.metadata.resourceVersion ?? '';
    if (!isNewer(version, this.#seen)) return true;
    this.#seen = version;
    return false;
  }

  async #pace(): Promise<void> {
    const wait = this.#lastStart + CLOSEST_MS - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    this.#lastStart = performance.now();
  }
}

/** Compacted away, or ahead of the server's store, as after etcd was restored: only a list helps. */
function isExpired(error: unknown): boolean {
  if (isKubeError(error, 'Gone')) return true;
  return isKubeError(error) && error.causes.some((cause) => cause.reason === 'ResourceVersionTooLarge');
}
