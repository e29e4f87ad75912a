/** Somebody who waits, until a time or until told otherwise. */
interface Sleeper {
  at: number;
  wake: () => void;
}

/** Time that only moves while everybody waits. Who slept in a life that is over never wakes. */
export class VirtualTime {
  /** By the clock that nobody sets; epoch milliseconds. */
  now = Date.parse('2026-01-01T00:00:00Z');
  #sleepers = new Set<Sleeper>();

  /** A new life begins: those who slept are forgotten. */
  forget(): void {
    this.#sleepers = new Set();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    const sleepers = this.#sleepers;
    return new Promise((resolve) => {
      const sleeper: Sleeper = {
        at: this.now + Math.max(0, ms),
        wake: () => {
          sleepers.delete(sleeper);
          if (sleepers === this.#sleepers) resolve();
        },
      };
      sleepers.add(sleeper);
      signal?.addEventListener('abort', () => sleeper.wake(), { once: true });
    });
  }

  /** When the first one wants to be woken; infinity if nobody sleeps. */
  get next(): number {
    return Math.min(...[...this.#sleepers].map(({ at }) => at));
  }

  /** Lets time come to `at` and wakes who waits for it. */
  passTo(at: number): void {
    this.now = Math.max(this.now, at);
    for (const sleeper of this.#sleepers) if (sleeper.at <= this.now) sleeper.wake();
  }
}
