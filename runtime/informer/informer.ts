import { setTimeout as delay } from 'node:timers/promises';
import { ListWatch } from '@kubernetes/client-node/dist/cache.js';
import type { KubernetesObject } from '@kubernetes/client-node/dist/types.js';
import type { KubeObject } from '#api/meta.ts';
import type { KubeClient, Query } from '../client/client.ts';
import type { Log } from '../log/log.ts';
import { type Backoff, backoffMs } from '../queue/backoff.ts';
import { keyOf } from './key.ts';
import { stripManagedFields } from './strip.ts';
import { WatchSource } from './watch-source.ts';

export interface InformerMetrics {
  listed(): void;
  watchFailed(): void;
  objects(count: number): void;
}

export interface InformerOptions<T extends KubeObject> {
  client: KubeClient;
  /** Of the collection, such as `/api/v1/nodes`. */
  path: string;
  /** `labelSelector`, `fieldSelector`; a selector for one object's name is fine. */
  query?: Query | undefined;
  /** For every object that appeared, changed or vanished. Only enqueue here; whatever it throws is logged. */
  onChange?: ((key: string, object: T) => void) | undefined;
  /** An object of the same name took the place of another (its uid differs). Called before `onChange`. */
  onReplaced?: ((key: string, previous: T, current: T) => void) | undefined;
  /** Drops what is not needed before it is kept; managed fields are dropped anyway. */
  strip?: ((object: T) => T) | undefined;
  log?: Log | undefined;
  metrics?: { informer(path: string): InformerMetrics } | undefined;
  /** About how often everything is listed again, as a backstop; 20 min by default, spread over ± a half. */
  relistMs?: number | undefined;
  /** Between attempts after a failure. */
  backoff?: Backoff | undefined;
  random?: (() => number) | undefined;
}

/** Operators are few: they may ask again sooner than the agents of thousands of nodes. */
const RESTART = { baseMs: 250, maxMs: 5000 };
const RELIST_MS = 20 * 60_000;

/**
 * A cache of one collection that follows the server whatever happens to the connection. Objects in it are
 * shared: read them, never change them.
 */
export class Informer<T extends KubeObject> {
  /** Of the collection. */
  readonly path: string;
  readonly #options: InformerOptions<T>;
  readonly #random: () => number;
  readonly #strip: (object: T) => T;
  readonly #source: WatchSource;
  readonly #engine: ListWatch<KubernetesObject>;
  readonly #metrics: InformerMetrics | undefined;
  readonly #objects = new Map<string, T>();
  readonly #stopping = new AbortController();
  readonly #synced = Promise.withResolvers<void>();
  #all: readonly T[] | undefined;
  #hasSynced = false;
  #heardAt = -Infinity;
  #failures = 0;
  #relistTimer: NodeJS.Timeout | undefined;

  constructor(options: InformerOptions<T>) {
    const { client, path, query = {}, random = Math.random, strip = (object: T) => object } = options;
    this.#options = options;
    this.path = path;
    this.#strip = (object) => strip(stripManagedFields(object));
    this.#random = random;
    this.#metrics = options.metrics?.informer(path);
    const onHeard = (): void => this.#heard();
    this.#source = new WatchSource({ client, query, random, onHeard, strip: this.#strip as never });
    this.#synced.promise.catch(() => undefined);
    this.#engine = this.#newEngine(path);
  }

  /** client-node's ListWatch keeps the items and decides when to list; everything else is ours. */
  #newEngine(path: string): ListWatch<KubernetesObject> {
    const signal = this.#stopping.signal;
    const delayFn = (ms: number): Promise<void> =>
      delay(ms * this.#random(), undefined, { signal }).catch(() => undefined);
    const list = (): Promise<never> => this.#list() as Promise<never>;
    const engine = new ListWatch(path, this.#source as never, list, false, undefined, undefined, { delayFn });
    engine.on('add', (object) => this.#set(object as never));
    engine.on('update', (object) => this.#set(object as never));
    engine.on('delete', (object) => this.#remove(object as never));
    engine.on('error', (error) => this.#restart(error));
    return engine;
  }

  start(): void {
    this.#scheduleRelist();
    this.#engine.start().catch((error: unknown) => this.#restart(error));
  }

  /** Resolves once everything was listed; rejects when stopped before that, or with the signal's reason. */
  async synced(signal?: AbortSignal): Promise<void> {
    if (signal === undefined) return this.#synced.promise;
    signal.throwIfAborted();
    const { promise, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#synced.promise, promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): readonly T[] {
    return (this.#all ??= [...this.#objects.values()]);
  }

  /** Milliseconds since the server was last heard of on this watch; Infinity before the first list. */
  ageMs(): number {
    return performance.now() - this.#heardAt;
  }

  async stop(): Promise<void> {
    clearTimeout(this.#relistTimer);
    this.#stopping.abort();
    this.#source.stop();
    this.#synced.reject(new Error(`the informer of ${this.path} was stopped`));
    await this.#engine.stop();
  }

  async #list() {
    const { client, path, query } = this.#options;
    const { items, resourceVersion } = await client.list<T>(path, query, {
      strip: this.#strip,
      signal: this.#stopping.signal,
      timeoutMs: 120_000,
    });
    this.#heard();
    this.#source.listed(resourceVersion);
    this.#metrics?.listed();
    // ListWatch takes the items over right after this returns, before any other task runs.
    setImmediate(() => this.#markSynced());
    return { items, metadata: { resourceVersion } };
  }

  #markSynced(): void {
    this.#hasSynced = true;
    this.#synced.resolve();
  }

  #heard(): void {
    this.#heardAt = performance.now();
    this.#failures = 0;
  }

  #set(object: T): void {
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    this.#objects.set(key, object);
    if (previous !== undefined && previous.metadata.uid !== object.metadata.uid) {
      this.#guarded(key, () => this.#options.onReplaced?.(key, previous, object));
    }
    this.#changed(key, object);
  }

  #remove(object: T): void {
    const key = keyOf(object);
    this.#objects.delete(key);
    this.#changed(key, object);
  }

  #changed(key: string, object: T): void {
    this.#all = undefined;
    this.#metrics?.objects(this.#objects.size);
    this.#guarded(key, () => this.#options.onChange?.(key, object));
  }

  /** A throwing handler would end client-node's informer and, unhandled, the process. */
  #guarded(key: string, handler: () => void): void {
    try {
      handler();
    } catch (error) {
      this.#options.log?.error('a change handler failed', { error, key, path: this.path });
    }
  }

  /** ListWatch gives up on any error but a timeout or a 410; it goes on from the version that it has. */
  #restart(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    this.#metrics?.watchFailed();
    this.#failures += 1;
    const retryInMs = Math.round(backoffMs(this.#failures, this.#options.backoff ?? RESTART, this.#random()));
    this.#options.log?.warn('watch failed', { error, retryInMs, path: this.path });
    setTimeout(() => {
      if (this.#stopping.signal.aborted) return;
      this.#engine.start().catch((cause: unknown) => this.#restart(cause));
    }, retryInMs);
  }

  #scheduleRelist(): void {
    const relistMs = (this.#options.relistMs ?? RELIST_MS) * (0.5 + this.#random());
    this.#relistTimer = setTimeout(() => {
      this.#source.relist();
      this.#scheduleRelist();
    }, relistMs).unref();
  }
}
