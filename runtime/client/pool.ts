import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import request from 'undici/lib/api/api-request.js';
import { Exchange } from './exchange.ts';

export type PoolRequest = Omit<Dispatcher.RequestOptions, 'signal'> & { signal: AbortSignal };

/**
 * Connections that are shared until nobody needs them. Undici's own orderly close waits for requests that were
 * given up as well, which a server that hangs never answers; here only those count that somebody waits for.
 */
export class Pool {
  readonly #dispatcher: Dispatcher;
  readonly #idle = Promise.withResolvers<void>();
  #waiting = 0;
  #retired = false;
  #destroyed: Promise<void> | undefined;

  constructor(dispatcher: Dispatcher) {
    this.#dispatcher = dispatcher;
  }

  /** Resolves when the answer's head is there; rejects with the signal's reason as soon as that is aborted. */
  ask({ signal, ...options }: PoolRequest): Promise<Dispatcher.ResponseData> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const dispatch = (sent: Dispatcher.DispatchOptions, caller: Dispatcher.DispatchHandler): boolean => {
      const onAbort = (): void => exchange.giveUp(signal.reason as Error);
      const exchange = new Exchange(caller, options.body !== null, () => {
        signal.removeEventListener('abort', onAbort);
        this.#over();
      });
      this.#waiting += 1;
      signal.addEventListener('abort', onAbort, { once: true });
      return this.#dispatcher.dispatch(sent, exchange);
    };
    return request.call({ dispatch }, options);
  }

  /** Every connection ends as soon as nobody waits for an answer any more. */
  retire(): void {
    this.#retired = true;
    if (this.#waiting === 0) this.#end();
  }

  /** Ends every connection; who waits for an answer has `graceMs` to get it. Never rejects. */
  async close(graceMs: number): Promise<void> {
    this.retire();
    await Promise.race([this.#idle.promise, sleep(graceMs, undefined, { ref: false })]);
    await this.#destroy();
  }

  #over(): void {
    this.#waiting -= 1;
    // Not while undici is in the middle of telling us.
    if (this.#retired && this.#waiting === 0) setImmediate(() => this.#end());
  }

  #end(): void {
    if (this.#waiting > 0) return;
    this.#idle.resolve();
    void this.#destroy();
  }

  #destroy(): Promise<void> {
    return (this.#destroyed ??= this.#dispatcher.destroy().catch(() => undefined));
  }
}
