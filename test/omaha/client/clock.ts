import { setTimeout as sleep } from 'node:timers/promises';

/** A machine's time. */
export interface Clock {
  /** ms since the epoch. */
  now(): number;
  /** Waits `ms` of machine time; ends with an AbortError when `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Time that runs `speed` times as fast as ours, from now on. */
export class ScaledClock implements Clock {
  readonly #speed: number;
  readonly #start = Date.now();
  readonly #began = performance.now();

  constructor(speed: number) {
    this.#speed = speed;
  }

  now(): number {
    return this.#start + (performance.now() - this.#began) * this.#speed;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await sleep(Math.min(ms / this.#speed, LONGEST_TIMER_MS), undefined, { signal });
  }
}
