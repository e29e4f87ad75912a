import type { Happening } from '../client/update-engine.ts';
import type { Reply, Transport } from '../client/transport.ts';
import type { WireRequest } from '../wire/request.ts';
import { Latencies } from './latencies.ts';
import type { Machine, Turn } from './machine.ts';

/** Counts by name. */
export type Counts = Record<string, number>;

/** A fleet in numbers; the same names stand in the JSON report. */
export interface FleetReport {
  machines: number;
  vanished: number;
  /** Living machines by the version that they run. */
  versions: Counts;
  /** Living machines by what their update_engine does. */
  phases: Counts;
  /** How often each thing happened. */
  happenings: Counts;
  /** Errors that machines reported, by code without flags. */
  errors: Counts;
  /** HTTP answers by status; 0: none. */
  statuses: Counts;
  /** Machines between an offer and the end of that attempt, now and at worst. */
  inFlight: { now: number; worst: number };
  latencyMs: { p50: number; p95: number; p99: number };
  seconds: number;
  requestsPerSecond: number;
}

/** Ends of an attempt, as the machine knows them. */
const ENDS: readonly string[] = ['failed', 'deferred', 'booted', 'fell-back', 'vanished', 'restarted'];

/** Keeps count of what a fleet does. */
export class Tally {
  readonly #happenings = new Map<string, number>();
  readonly #errors = new Map<string, number>();
  readonly #statuses = new Map<string, number>();
  readonly #inFlight = new Set<Machine>();
  readonly #latencies = new Latencies();
  readonly #began = performance.now();
  #worst = 0;
  #requests = 0;

  hear(machine: Machine, what: Happening | Turn): void {
    count(this.#happenings, what.kind);
    if (what.kind === 'failed') count(this.#errors, String(what.exitCode));
    if (what.kind === 'offered') this.#inFlight.add(machine);
    if (ENDS.includes(what.kind)) this.#inFlight.delete(machine);
    this.#worst = Math.max(this.#worst, this.#inFlight.size);
  }

  /** `transport`, with its answers counted and timed. */
  timed(transport: Transport): Transport {
    return {
      post: async (request: WireRequest, signal: AbortSignal): Promise<Reply> => {
        const began = performance.now();
        const reply = await transport.post(request, signal);
        this.#latencies.add(performance.now() - began);
        this.#requests++;
        count(this.#statuses, String(reply.status));
        return reply;
      },
    };
  }

  report(machines: readonly Machine[]): FleetReport {
    const living = machines.filter(({ vanished }) => !vanished);
    const seconds = (performance.now() - this.#began) / 1000;
    return {
      machines: machines.length,
      vanished: machines.length - living.length,
      versions: countBy(living, ({ version }) => version),
      phases: countBy(living, ({ phase }) => phase),
      happenings: Object.fromEntries(this.#happenings),
      errors: Object.fromEntries(this.#errors),
      statuses: Object.fromEntries(this.#statuses),
      inFlight: { now: this.#inFlight.size, worst: this.#worst },
      latencyMs: {
        p50: this.#latencies.percentile(0.5),
        p95: this.#latencies.percentile(0.95),
        p99: this.#latencies.percentile(0.99),
      },
      seconds,
      requestsPerSecond: this.#requests / seconds,
    };
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function countBy<T>(values: readonly T[], nameOf: (value: T) => string): Counts {
  const counts = new Map<string, number>();
  for (const value of values) count(counts, nameOf(value));
  return Object.fromEntries([...counts].toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })));
}
