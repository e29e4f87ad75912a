import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ControllerMetrics } from '../controller/controller.ts';
import type { InformerMetrics } from '../informer/informer.ts';
import type { OnRequest } from '../client/transport.ts';
import type { QueueMetrics } from '../queue/queue.ts';

/** controller-runtime's buckets for reconciles. */
const RECONCILE_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const REQUEST_SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
const QUEUE_SECONDS = [0.001, 0.01, 0.1, 1, 10, 60, 300];

/** The metrics of one process, under the names that dashboards for controller-runtime know. */
export class Metrics {
  readonly registry = new Registry();
  readonly #reconciles: Counter<'controller' | 'result'>;
  readonly #errors: Counter<'controller'>;
  readonly #terminal: Counter<'controller'>;
  readonly #seconds: Histogram<'controller'>;
  readonly #active: Gauge<'controller'>;
  readonly #workers: Gauge<'controller'>;
  readonly #depth: Gauge<'name' | 'controller'>;
  readonly #adds: Counter<'name' | 'controller'>;
  readonly #retries: Counter<'name' | 'controller'>;
  readonly #waits: Histogram<'name' | 'controller'>;
  readonly #requests: Counter<'code' | 'method'>;
  readonly #latency: Histogram<'verb'>;
  readonly #leader: Gauge<'name'>;
  readonly #lists: Counter<'path'>;
  readonly #failures: Counter<'path'>;
  readonly #objects: Gauge<'path'>;

  constructor({ process = true }: { process?: boolean } = {}) {
    if (process) collectDefaultMetrics({ register: this.registry });
    this.#reconciles = this.#counter('controller_runtime_reconcile_total', 'Reconciliations by result.', [
      'controller',
      'result',
    ]);
    this.#errors = this.#counter('controller_runtime_reconcile_errors_total', 'Failed reconciliations.', [
      'controller',
    ]);
    this.#terminal = this.#counter(
      'controller_runtime_terminal_reconcile_errors_total',
      'Reconciliations that failed for good.',
      ['controller'],
    );
    this.#seconds = this.#histogram(
      'controller_runtime_reconcile_time_seconds',
      'Time of a reconciliation.',
      ['controller'],
      RECONCILE_SECONDS,
    );
    this.#active = this.#gauge('controller_runtime_active_workers', 'Reconciliations under way.', [
      'controller',
    ]);
    this.#workers = this.#gauge('controller_runtime_max_concurrent_reconciles', 'Most at a time.', [
      'controller',
    ]);
    this.#depth = this.#gauge('workqueue_depth', 'Keys that wait.', ['name', 'controller']);
    this.#adds = this.#counter('workqueue_adds_total', 'Keys added.', ['name', 'controller']);
    this.#retries = this.#counter('workqueue_retries_total', 'Keys added again after a failure.', [
      'name',
      'controller',
    ]);
    this.#waits = this.#histogram(
      'workqueue_queue_duration_seconds',
      'Time a key waited.',
      ['name', 'controller'],
      QUEUE_SECONDS,
    );
    this.#requests = this.#counter(
      'rest_client_requests_total',
      'Requests to the API server; code 0: no answer.',
      ['code', 'method'],
    );
    this.#latency = this.#histogram(
      'rest_client_request_duration_seconds',
      'Time until the answer began.',
      ['verb'],
      REQUEST_SECONDS,
    );
    this.#leader = this.#gauge('leader_election_master_status', '1 while this process leads.', ['name']);
    this.#lists = this.#counter('careen_informer_lists_total', 'Full lists by informers.', ['path']);
    this.#failures = this.#counter('careen_informer_watch_failures_total', 'Watches that failed.', ['path']);
    this.#objects = this.#gauge('careen_informer_objects', 'Objects in the cache.', ['path']);
  }

  controller(name: string, workers: number): ControllerMetrics {
    this.#workers.set({ controller: name }, workers);
    for (const result of ['success', 'error', 'requeue_after'])
      this.#reconciles.inc({ controller: name, result }, 0);
    return {
      queue: this.queue(name),
      active: (count) => this.#active.set({ controller: name }, count),
      reconciled: (outcome, seconds) => {
        const result = outcome === 'terminal_error' ? 'error' : outcome;
        this.#reconciles.inc({ controller: name, result });
        if (result === 'error') this.#errors.inc({ controller: name });
        if (outcome === 'terminal_error') this.#terminal.inc({ controller: name });
        this.#seconds.observe({ controller: name }, seconds);
      },
    };
  }

  queue(name: string): QueueMetrics {
    const labels = { name, controller: name };
    return {
      added: () => this.#adds.inc(labels),
      retried: () => this.#retries.inc(labels),
      depth: (length) => this.#depth.set(labels, length),
      waited: (seconds) => this.#waits.observe(labels, seconds),
    };
  }

  informer(path: string): InformerMetrics {
    return {
      listed: () => this.#lists.inc({ path }),
      watchFailed: () => this.#failures.inc({ path }),
      objects: (count) => this.#objects.set({ path }, count),
    };
  }

  readonly onRequest: OnRequest = ({ method, status, seconds }) => {
    this.#requests.inc({ code: String(status), method });
    this.#latency.observe({ verb: method }, seconds);
  };

  leading(lease: string, leads: boolean): void {
    this.#leader.set({ name: lease }, leads ? 1 : 0);
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #gauge<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram<L extends string>(name: string, help: string, labelNames: L[], buckets: number[]): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.registry] });
  }
}
