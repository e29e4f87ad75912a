import { type Backoff, backoffMs, DEFAULT_BACKOFF } from './backoff.ts';

/** What a queue tells the metrics. */
export interface QueueMetrics {
  added(): void;
  retried(): void;
  depth(length: number): void;
  waited(seconds: number): void;
}

export interface QueueOptions {
  backoff?: Backoff | undefined;
  metrics?: QueueMetrics | undefined;
  random?: (() => number) | undefined;
}

/**
 * Keys that wait for work. A key waits at most once however often it is added; a key that is being worked
 * on is not handed out again until `done`, and comes back then if it was added meanwhile.
 */
export class WorkQueue {
  readonly #backoff: Backoff;
  readonly #metrics: QueueMetrics | undefined;
  readonly #random: () => number;
  /** Ready keys in order, each with the instant when it became ready. */
  readonly #ready = new Map<string, number>();
  readonly #active = new Set<string>();
  /** Keys added while active. */
  readonly #again = new Set<string>();
  readonly #later = new Map<string, { at: number; timer: NodeJS.Timeout }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #closed = false;

  constructor({ backoff = DEFAULT_BACKOFF, metrics, random = Math.random }: QueueOptions = {}) {
    this.#backoff = backoff;
    this.#metrics = metrics;
    this.#random = random;
  }

  get length(): number {
    return this.#ready.size;
  }

  add(key: string): void {
    if (this.#closed) return;
    if (this.#active.has(key)) {
      this.#again.add(key);
    } else if (!this.#ready.has(key)) {
      this.#ready.set(key, performance.now());
      this.#metrics?.added();
      this.#dispatch();
    }
  }

  /** Adds the key in `ms`; of several such wishes the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return;
    if (ms <= 0) return this.add(key);
    const at = performance.now() + ms;
    const known = this.#later.get(key);
    if (known !== undefined && known.at <= at) return;
    clearTimeout(known?.timer);
    const due = (): void => {
      this.#later.delete(key);
      this.add(key);
    };
    // A timer holds at most 2^31-1 ms; a longer wait wakes up early, which level-triggered work forgives.
    this.#later.set(key, { at, timer: setTimeout(due, Math.min(ms, 2 ** 31 - 1)) });
  }

  /** Adds the key after a delay that grows with each call until `forget`. Returns the delay. */
  addFailed(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.#metrics?.retried();
    const delay = backoffMs(failures, this.#backoff, this.#random());
    this.addAfter(key, delay);
    return delay;
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, once there is one; undefined after `close`. The taker calls `done` when it has finished. */
  take(): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    if (this.#closed) resolve(undefined);
    else {
      this.#takers.push(resolve);
      this.#dispatch();
    }
    return promise;
  }

  done(key: string): void {
    this.#active.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  /** Hands out nothing more; takers get undefined. */
  close(): void {
    this.#closed = true;
    for (const { timer } of this.#later.values()) clearTimeout(timer);
    this.#later.clear();
    this.#ready.clear();
    this.#again.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #dispatch(): void {
    for (const [key, since] of this.#ready) {
      const taker = this.#takers.shift();
      if (taker === undefined) break;
      this.#ready.delete(key);
      this.#active.add(key);
      this.#metrics?.waited((performance.now() - since) / 1000);
      taker(key);
    }
    this.#metrics?.depth(this.#ready.size);
  }
}
