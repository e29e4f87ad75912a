import { randomUUID } from 'node:crypto';
import type { Log } from '../log/log.ts';
import type { Backoff } from '../queue/backoff.ts';
import { type QueueMetrics, WorkQueue } from '../queue/queue.ts';
import { TerminalError } from './terminal-error.ts';

export { TerminalError } from './terminal-error.ts';

export interface ReconcileContext {
  /** Aborts when the controller stops or leadership is lost: nothing may be written after that. */
  signal: AbortSignal;
  /** Carries the controller's name, the key and a `reconcileID` that is new for every run. */
  log: Log;
}

/** Nothing: done. `requeueAfterMs`: look again then, also if nothing changes. */
export type ReconcileResult = { requeueAfterMs?: number | undefined } | void;

/** Level-based: gets a key, never an event, and looks at the world itself. */
export type Reconcile = (key: string, context: ReconcileContext) => Promise<ReconcileResult>;

export type Outcome = 'success' | 'requeue_after' | 'error' | 'terminal_error' | 'aborted';

export interface ControllerMetrics {
  queue: QueueMetrics;
  reconciled(outcome: Outcome, seconds: number): void;
  active(workers: number): void;
}

export interface ControllerOptions {
  name: string;
  reconcile: Reconcile;
  /** Keys worked on at the same time, 1 by default; the same key never twice at once. */
  workers?: number | undefined;
  log: Log;
  metrics?: { controller(name: string, workers: number): ControllerMetrics } | undefined;
  backoff?: Backoff | undefined;
}

/**
 * Runs `reconcile` for every key that was enqueued. An error comes back after a growing delay, a
 * `TerminalError` only when something changes.
 */
export class Controller {
  readonly name: string;
  readonly #reconcile: Reconcile;
  readonly #workers: number;
  readonly #log: Log;
  readonly #metrics: ControllerMetrics | undefined;
  readonly #queue: WorkQueue;
  /** Start of each run that is under way, by key. */
  readonly #running = new Map<string, number>();

  constructor({ name, reconcile, workers = 1, log, metrics, backoff }: ControllerOptions) {
    this.name = name;
    this.#reconcile = reconcile;
    this.#workers = workers;
    this.#log = log.child({ controller: name });
    this.#metrics = metrics?.controller(name, workers);
    this.#queue = new WorkQueue({ backoff, metrics: this.#metrics?.queue });
  }

  enqueue(key: string): void {
    this.#queue.add(key);
  }

  enqueueAfter(key: string, ms: number): void {
    this.#queue.addAfter(key, ms);
  }

  /** How long the longest run under way has taken; 0 when idle. For the liveness check. */
  busyMs(): number {
    const oldest = Math.min(...this.#running.values());
    return Number.isFinite(oldest) ? performance.now() - oldest : 0;
  }

  /** Works until the signal aborts, then waits for the runs under way, which see the same signal. Run it once. */
  async run(signal: AbortSignal): Promise<void> {
    const close = (): void => this.#queue.close();
    signal.addEventListener('abort', close, { once: true });
    if (signal.aborted) close();
    await Promise.all(Array.from({ length: this.#workers }, () => this.#work(signal)));
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      if (!signal.aborted) await this.#runOne(key, signal);
      this.#queue.done(key);
    }
  }

  async #runOne(key: string, signal: AbortSignal): Promise<void> {
    const log = this.#log.child({ key, reconcileID: randomUUID() });
    const started = performance.now();
    this.#running.set(key, started);
    this.#metrics?.active(this.#running.size);
    let outcome: Outcome;
    try {
      outcome = this.#settle(key, await this.#reconcile(key, { signal, log }));
    } catch (error) {
      outcome = this.#fail(key, error, signal, log);
    }
    this.#running.delete(key);
    this.#metrics?.active(this.#running.size);
    this.#metrics?.reconciled(outcome, (performance.now() - started) / 1000);
  }

  #settle(key: string, result: ReconcileResult): Outcome {
    this.#queue.forget(key);
    if (result?.requeueAfterMs === undefined) return 'success';
    this.#queue.addAfter(key, result.requeueAfterMs);
    return 'requeue_after';
  }

  #fail(key: string, error: unknown, signal: AbortSignal, log: Log): Outcome {
    if (signal.aborted) {
      log.debug('reconcile stopped', { error });
      return 'aborted';
    }
    if (error instanceof TerminalError) {
      this.#queue.forget(key);
      log.error('reconcile failed for good', { error });
      return 'terminal_error';
    }
    const retryInMs = Math.round(this.#queue.addFailed(key));
    log.error('reconcile failed', { error, retryInMs });
    return 'error';
  }
}
