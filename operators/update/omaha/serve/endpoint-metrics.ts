import { Counter, Histogram, type Registry } from 'prom-client';
import type { Told } from './answer-request.ts';
import type { RefusalCode } from './refusal.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** What the endpoint counts. */
export class EndpointMetrics {
  readonly #requests: Counter<'result'>;
  readonly #seconds: Histogram;
  readonly #checks: Counter<'group' | 'reason'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#requests = new Counter({
      name: 'careen_omaha_requests_total',
      help: 'Requests over Omaha: ok, or why they were refused.',
      labelNames: ['result'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'careen_omaha_request_seconds',
      help: 'Time until a request over Omaha was answered.',
      buckets: SECONDS,
      registers,
    });
    this.#checks = new Counter({
      name: 'careen_omaha_checks_total',
      help: 'Update checks by group and answer: Offered, UpToDate, or why the machine is held.',
      labelNames: ['group', 'reason'],
      registers,
    });
  }

  answered(result: RefusalCode | 'ok', seconds: number): void {
    this.#requests.inc({ result });
    this.#seconds.observe(seconds);
  }

  checked({ group, reason }: Told): void {
    this.#checks.inc({ group, reason });
  }
}
