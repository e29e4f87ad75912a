import { KubeError } from './error.ts';

/**
 * One signal out of a caller's signal and a time limit. `end()` must be called: it frees the timer and
 * the listener on a signal that may live as long as the process.
 */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #request: string;
  #timer: NodeJS.Timeout | undefined;
  #endsAt = Infinity;

  constructor(request: string, timeoutMs: number, outer?: AbortSignal) {
    this.#request = request;
    this.#outer = outer;
    outer?.addEventListener('abort', this.#onAbort, { once: true });
    if (outer?.aborted) this.#onAbort();
    this.extend(timeoutMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Sets the limit anew, counted from now. */
  extend(timeoutMs: number): void {
    if (this.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#endsAt = performance.now() + timeoutMs;
    this.#timer = setTimeout(() => this.#expire(timeoutMs), timeoutMs);
  }

  leftMs(): number {
    return this.#endsAt - performance.now();
  }

  /** Waits, or rejects with the reason of whichever ends first. */
  async sleep(ms: number): Promise<void> {
    this.signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    const onAbort = (): void => reject(this.signal.reason as Error);
    this.signal.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.signal.removeEventListener('abort', onAbort);
    }
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    clearTimeout(this.#timer);
    this.#controller.abort(this.#outer?.reason);
  };

  #expire(timeoutMs: number): void {
    const message = `${this.#request}: no answer within ${timeoutMs} ms`;
    this.#controller.abort(new KubeError(message, { code: 'Timeout' }));
  }
}
