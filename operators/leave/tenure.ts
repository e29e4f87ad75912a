import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { systemClock, type Clock } from '#runtime/leader/clock.ts';
import { held, owned, released, type Lease } from '#runtime/leader/lease.ts';
import { mayTake, observe, type Observation } from '#runtime/leader/observation.ts';
import { Term } from '#runtime/leader/term.ts';

export interface TenureOptions {
  /** Of its own: renewal must not queue behind other requests. */
  client: KubeClient;
  namespace: string;
  /** Of the Lease. */
  name: string;
  identity: string;
  leaseDurationMs: number;
  renewDeadlineMs: number;
  retryPeriodMs: number;
  say: (line: string) => void;
  clock?: Clock | undefined;
}

/** A `leave` that is at work, and one that has ended and only keeps the operators from acting. */
const AT_WORK = 'leave_';
const ENDED = 'left_';

/**
 * Holds the operators' Lease so that none of them acts. Unlike a candidate it takes the Lease from a leader that is
 * alive: that one ends at its next renewal, and by the end of the time that it was promised in any case. Only then is
 * the Lease surely ours alone.
 */
export class Tenure {
  readonly #options: TenureOptions;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #term: Term;
  readonly #name: string;
  /** Unique, so that a run that was killed is not taken for this one. */
  readonly #identity: string;
  readonly #lost = new AbortController();
  readonly #ended = new AbortController();
  #lease: Lease | undefined;
  #renewal: Promise<void> | undefined;

  constructor(options: TenureOptions) {
    this.#options = options;
    const { namespace, name, clock = systemClock } = options;
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
    this.#clock = clock;
    this.#term = new Term(options.renewDeadlineMs, clock);
    this.#name = name;
    this.#identity = `${AT_WORK}${options.identity}_${randomUUID()}`;
  }

  /** Aborts when somebody else took the Lease, or it could not be renewed. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Throws unless the Lease is surely held; to be called right before each write. */
  fence(): void {
    this.#term.fence();
  }

  /** Resolves when nobody else acts any more; rejects when `signal` aborts first. */
  async take(signal: AbortSignal): Promise<void> {
    const waitMs = await this.#seize(signal);
    this.#renewal = this.#renewUntilEnd();
    if (waitMs > 0) await delay(waitMs, undefined, { signal: AbortSignal.any([signal, this.lost]) });
  }

  /** Promises the Lease away for so long that operators which still run do nothing before they are deleted. */
  async endFor(ms: number, owner: Lease['metadata']['ownerReferences']): Promise<void> {
    await this.#stop();
    const terms = { identity: `${ENDED}${this.#options.identity}`, leaseDurationMs: ms };
    await this.#replace(owned(held(this.#lease as Lease, terms, new Date()), owner));
  }

  /** Lets the operators go on at once. */
  async giveBack(): Promise<void> {
    await this.#stop();
    if (this.#lease?.spec?.holderIdentity !== this.#identity) return;
    await this.#replace(released(this.#lease, new Date())).catch(() => undefined);
  }

  async #stop(): Promise<void> {
    this.#ended.abort();
    await this.#renewal;
  }

  /** Answers how long whoever had it may still act. */
  async #seize(signal: AbortSignal): Promise<number> {
    let seen: Observation | undefined;
    for (;;) {
      signal.throwIfAborted();
      try {
        this.#lease = await this.#read(signal);
        seen = observe(seen, this.#lease, this.#clock());
        const waitMs = this.#claim(seen);
        if (waitMs !== undefined) {
          await this.#write();
          return waitMs;
        }
      } catch (error) {
        if (!isKubeError(error)) throw error;
        if (error.code !== 'Conflict') this.#options.say(`cannot take the Lease yet: ${error.message}`);
      }
      await delay(this.#options.retryPeriodMs, undefined, { signal });
    }
  }

  /** How long to wait once it is taken; undefined: it is not to be taken now. */
  #claim(seen: Observation): number | undefined {
    const { leaseDurationMs, say } = this.#options;
    const { holderIdentity, leaseDurationSeconds } = this.#lease?.spec ?? {};
    if (!holderIdentity || holderIdentity.startsWith(ENDED)) return 0;
    // The reply to our own attempt was lost, and with it how long to wait.
    if (holderIdentity === this.#identity) return leaseDurationMs;
    if (mayTake(this.#lease as Lease, seen, this.#clock(), leaseDurationMs)) return 0;
    if (holderIdentity.startsWith(AT_WORK)) return undefined;
    const waitMs = Math.max(leaseDurationMs, (leaseDurationSeconds ?? 0) * 1000);
    say(
      `takes the lead from ${holderIdentity.split('_')[0]}, and waits ${waitMs / 1000} s until it surely acts no more`,
    );
    return waitMs;
  }

  async #read(signal: AbortSignal): Promise<Lease> {
    const { client, namespace } = this.#options;
    try {
      return await client.get<Lease>(`${this.#path}/${this.#name}`, undefined, { signal });
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error;
      return {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: this.#name, namespace },
      };
    }
  }

  async #write(): Promise<void> {
    const { leaseDurationMs } = this.#options;
    const sent = this.#clock();
    await this.#replace(
      held(this.#lease as Lease, { identity: this.#identity, leaseDurationMs }, new Date()),
    );
    this.#term.renewedAt(sent);
  }

  async #replace(lease: Lease): Promise<void> {
    const { client, renewDeadlineMs } = this.#options;
    const limit = { timeoutMs: renewDeadlineMs / 2 };
    this.#lease = lease.metadata.resourceVersion
      ? await client.replace<Lease>(`${this.#path}/${this.#name}`, lease, undefined, limit)
      : await client.create<Lease>(this.#path, lease, undefined, limit);
  }

  async #renewUntilEnd(): Promise<void> {
    const { retryPeriodMs } = this.#options;
    while (!this.#ended.signal.aborted) {
      await delay(retryPeriodMs, undefined, { signal: this.#ended.signal }).catch(() => undefined);
      if (this.#ended.signal.aborted) return;
      await this.#write().catch((error: unknown) => this.#lookAgain(error));
      if (!this.#term.isLeading())
        return this.#lost.abort(new Error('somebody else took the Lease; run it again'));
    }
  }

  /** After a conflict: our own write whose reply was lost, or somebody else holds it. */
  async #lookAgain(error: unknown): Promise<void> {
    if (!isKubeError(error, 'Conflict')) return;
    const lease = await this.#read(this.#ended.signal).catch(() => undefined);
    if (lease === undefined) return;
    this.#lease = lease;
    if (lease.spec?.holderIdentity !== this.#identity) this.#term.end();
  }
}
