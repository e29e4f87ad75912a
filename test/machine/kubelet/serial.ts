import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Does one piece of work again and again, never twice at once: each `poke` during a run makes one more run.
 * Work that throws, or returns a number, is done again after that many milliseconds (`retryMs` when it threw).
 */
export class Serial {
  readonly #work: (signal: AbortSignal) => Promise<number | void>;
  readonly #retryMs: number;
  readonly #stop = new AbortController();
  #wanted = false;
  #running: Promise<void> | undefined;

  constructor(work: (signal: AbortSignal) => Promise<number | void>, retryMs = 300) {
    this.#work = work;
    this.#retryMs = retryMs;
  }

  poke(): void {
    this.#wanted = true;
    if (!this.#stop.signal.aborted) this.#running ??= this.#run();
  }

  /** No further run begins and the present one's signal is aborted; resolves when that has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#wanted && !this.#stop.signal.aborted) {
      this.#wanted = false;
      const again = await this.#work(this.#stop.signal).catch(() => this.#retryMs);
      if (typeof again === 'number') await this.#again(again);
    }
    this.#running = undefined;
  }

  async #again(afterMs: number): Promise<void> {
    this.#wanted = true;
    await sleep(afterMs, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {});
  }
}
