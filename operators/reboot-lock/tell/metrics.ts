import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { REBOOT_REASONS, type RebootReason } from '#api/reasons.ts';
import type { RebootLock } from '#api/kinds.ts';

const GRANT_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const DRAIN_SECONDS = [1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];

/** What reboot-lock measures of itself; `waiting` has the words of NodeState and RebootLock. */
export class RebootMetrics {
  readonly #holders: Gauge<'lock'>;
  readonly #max: Gauge<'lock'>;
  readonly #unavailable: Gauge<'lock'>;
  readonly #waiting: Gauge<'reason'>;
  readonly #grants: Counter;
  readonly #drain: Histogram;
  readonly #eligible: Histogram;

  constructor(registry: Registry) {
    const registers = [registry];
    const gauge = <L extends string>(name: string, help: string, label: L) =>
      new Gauge({ name, help, labelNames: [label], registers });
    this.#holders = gauge('careen_lock_holders', 'Places taken.', 'lock');
    this.#max = gauge('careen_lock_max', 'Places there are.', 'lock');
    this.#unavailable = gauge(
      'careen_lock_unavailable',
      'Covered nodes that are unavailable, holders included.',
      'lock',
    );
    this.#waiting = gauge(
      'careen_reboot_waiting_nodes',
      'Nodes that ask for a reboot and do not move, by reason.',
      'reason',
    );
    this.#grants = new Counter({ name: 'careen_grants_total', help: 'Reboots granted.', registers });
    this.#drain = new Histogram({
      name: 'careen_drain_seconds',
      help: 'From the cordon to the grant.',
      buckets: DRAIN_SECONDS,
      registers,
    });
    this.#eligible = new Histogram({
      name: 'careen_eligible_to_granted_seconds',
      help: 'From the moment at which a place could be taken to its being taken.',
      buckets: GRANT_SECONDS,
      registers,
    });
  }

  locks(locks: readonly RebootLock[], outages: (lock: string) => number): void {
    for (const gauge of [this.#holders, this.#max, this.#unavailable]) gauge.reset();
    for (const { metadata, status } of locks) {
      const lock = metadata.name;
      this.#holders.set({ lock }, status?.holders?.length ?? 0);
      this.#max.set({ lock }, status?.max ?? 0);
      this.#unavailable.set({ lock }, outages(lock));
    }
  }

  waiting(counts: ReadonlyMap<RebootReason, number>): void {
    for (const reason of REBOOT_REASONS) this.#waiting.set({ reason }, counts.get(reason) ?? 0);
  }

  granted(drainSeconds: number | undefined): void {
    this.#grants.inc();
    if (drainSeconds !== undefined) this.#drain.observe(drainSeconds);
  }

  taken(secondsSinceEligible: number): void {
    this.#eligible.observe(secondsSinceEligible);
  }
}
