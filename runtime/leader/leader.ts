import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { OwnerReference } from '#api/meta.ts';
import type { KubeClient } from '../client/client.ts';
import { isKubeError } from '../client/error.ts';
import type { Log } from '../log/log.ts';
import { type Clock, type Instant, systemClock } from './clock.ts';
import { held, type Lease, owned, released } from './lease.ts';
import { mayTake, type Observation, observe } from './observation.ts';
import { type Leadership, NotLeadingError, Term } from './term.ts';

export { type Leadership, NotLeadingError } from './term.ts';

export interface LeadOptions {
  /** Of its own: renewal must not queue behind other requests or share their connection. */
  client: KubeClient;
  namespace: string;
  /** Of the Lease. */
  name: string;
  /** Of this candidate; made unique by a suffix, since a restarted container must not take over its own past. */
  identity: string;
  leaseDurationMs: number;
  renewDeadlineMs: number;
  retryPeriodMs: number;
  log: Log;
  /** Ends the candidacy; a leader first lets `onElected` end, then gives the lease up. */
  signal?: AbortSignal | undefined;
  /** The work. Its signal aborts when leadership ends; it should return soon after. */
  onElected: (signal: AbortSignal, leadership: Leadership) => Promise<void>;
  /** With what the Lease is deleted; asked before it is taken. A failure only leaves the Lease as it was. */
  owner?: ((options: { timeoutMs: number }) => Promise<OwnerReference[] | undefined>) | undefined;
  metrics?: { leading(lease: string, leads: boolean): void } | undefined;
  clock?: Clock | undefined;
  random?: (() => number) | undefined;
}

/**
 * Waits for the lease, then runs `onElected` while holding it. Resolves when `signal` aborted or `onElected`
 * returned; throws NotLeadingError when the lease was lost (end the process then: what still runs in it may
 * not write) and whatever `onElected` throws.
 */
export async function lead(options: LeadOptions): Promise<void> {
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = options;
  if (!(leaseDurationMs > renewDeadlineMs && renewDeadlineMs > retryPeriodMs && retryPeriodMs > 0)) {
    throw new RangeError('lease duration > renew deadline > retry period > 0 must hold');
  }
  await new Candidate(options).run();
}

const NEVER = new AbortController().signal;

/**
 * How long the lease may take to be given up, in milliseconds: a slow server is worth the wait, since the next leader
 * waits longer otherwise, and the shutdown has 20 s for all that it does.
 */
const RELEASE_MS = 5000;

class Candidate {
  readonly #options: LeadOptions;
  readonly #signal: AbortSignal;
  readonly #identity: string;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #term: Term;
  #lease: Lease | undefined;
  #seen: Observation | undefined;

  constructor(options: LeadOptions) {
    this.#options = options;
    this.#signal = options.signal ?? NEVER;
    this.#identity = `${options.identity}_${randomUUID()}`;
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`;
    this.#clock = options.clock ?? systemClock;
    this.#term = new Term(options.renewDeadlineMs, this.#clock);
  }

  async run(): Promise<void> {
    const { log, metrics, name } = this.#options;
    metrics?.leading(name, false);
    if (!(await this.#acquire())) return;
    log.info('elected leader', { lease: name, identity: this.#identity });
    metrics?.leading(name, true);
    try {
      await this.#serve();
    } finally {
      metrics?.leading(name, false);
    }
  }

  /** Tries until the lease is held (true) or the candidacy ends (false). */
  async #acquire(): Promise<boolean> {
    while (!this.#signal.aborted) {
      if (await this.#attempt()) return true;
      await this.#pause();
    }
    return false;
  }

  async #attempt(): Promise<boolean> {
    try {
      this.#lease = await this.#read();
      const now = this.#clock();
      this.#seen = observe(this.#seen, this.#lease, now);
      // Our own name in it: the reply to an earlier attempt was lost.
      const mine = this.#lease.spec?.holderIdentity === this.#identity;
      if (!mine && !mayTake(this.#lease, this.#seen, now, this.#options.leaseDurationMs)) return false;
      this.#lease = owned(this.#lease, await this.#owner());
      await this.#write();
      return this.#term.isLeading();
    } catch (error) {
      this.#report('cannot take the lease yet', error);
      return false;
    }
  }

  async #owner(): Promise<OwnerReference[] | undefined> {
    try {
      return await this.#options.owner?.(this.#limit());
    } catch (error) {
      this.#report('cannot find out whose the lease is; it stays when the operator is deleted', error);
      return undefined;
    }
  }

  /** Runs the work and renews beside it until either ends. */
  async #serve(): Promise<void> {
    const ending = new AbortController();
    const lost = new AbortController();
    const onAbort = (): void => lost.abort(this.#signal.reason);
    this.#signal.addEventListener('abort', onAbort, { once: true });
    if (this.#signal.aborted) onAbort();
    const renewal = this.#renewUntil(ending.signal, lost);
    let settled = true;
    try {
      const work = this.#options.onElected(lost.signal, this.#term);
      settled = await Promise.race([work.then(() => true), this.#grace(lost.signal)]);
    } catch (error) {
      if (!lost.signal.aborted) throw error;
    } finally {
      this.#signal.removeEventListener('abort', onAbort);
      ending.abort();
      await renewal;
      this.#term.end();
      // Work that does not end may still act: then the next leader must wait for the lease to expire.
      if (settled) await this.#release();
    }
    if (!this.#signal.aborted && lost.signal.aborted) throw lost.signal.reason;
  }

  /** Resolves, with false, when the lease was lost and the work has had half of the margin to end. */
  async #grace(lost: AbortSignal): Promise<false> {
    const { leaseDurationMs, renewDeadlineMs } = this.#options;
    if (!lost.aborted) await once(lost, 'abort');
    if (this.#signal.aborted) return new Promise(() => undefined);
    return delay((leaseDurationMs - renewDeadlineMs) / 2, false, { ref: false });
  }

  /** Renews every retry period; aborts `lost` at the deadline, also when a renewal hangs or this process hung. */
  async #renewUntil(ending: AbortSignal, lost: AbortController): Promise<void> {
    let guard = this.#guard(lost);
    while (!ending.aborted && this.#term.isLeading()) {
      await this.#pause(ending);
      if (ending.aborted || !this.#term.isLeading()) break;
      if (await this.#renew()) {
        clearTimeout(guard);
        guard = this.#guard(lost);
      }
    }
    clearTimeout(guard);
    if (!ending.aborted || !this.#term.isLeading()) this.#lose(lost);
  }

  #guard(lost: AbortController): NodeJS.Timeout {
    return setTimeout(() => this.#lose(lost), Math.max(0, this.#term.leftMs()));
  }

  #lose(lost: AbortController): void {
    this.#term.end();
    if (!lost.signal.aborted) {
      this.#options.log.error('lost the lease', { lease: this.#options.name });
      lost.abort(new NotLeadingError(`the lease ${this.#options.name} could not be renewed in time`));
    }
  }

  async #renew(): Promise<boolean> {
    try {
      await this.#write();
      return true;
    } catch (error) {
      this.#report('cannot renew the lease', error);
      if (isKubeError(error, 'Conflict')) await this.#lookAgain();
      return false;
    }
  }

  /** After a conflict: either our own write whose reply was lost, or somebody else holds it. */
  async #lookAgain(): Promise<void> {
    try {
      this.#lease = await this.#read();
      if (this.#lease.spec?.holderIdentity !== this.#identity) this.#term.end();
    } catch (error) {
      this.#report('cannot read the lease', error);
    }
  }

  async #read(): Promise<Lease> {
    const { client, name, namespace } = this.#options;
    try {
      return await client.get<Lease>(`${this.#path}/${name}`, undefined, this.#limit());
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error;
      return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace } };
    }
  }

  /** Takes or renews by compare-and-swap; the term counts from before the request was sent. */
  async #write(): Promise<void> {
    const { client, name, leaseDurationMs } = this.#options;
    const sent: Instant = this.#clock();
    const body = held(this.#lease as Lease, { identity: this.#identity, leaseDurationMs }, new Date());
    this.#lease = body.metadata.resourceVersion
      ? await client.replace<Lease>(`${this.#path}/${name}`, body, undefined, this.#limit())
      : await client.create<Lease>(this.#path, body, undefined, this.#limit());
    this.#term.renewedAt(sent);
  }

  /** By compare-and-swap, so it cannot take the lease from somebody who has it by now. */
  async #release(): Promise<void> {
    const { client, name, log } = this.#options;
    if (this.#lease?.spec?.holderIdentity !== this.#identity) return;
    try {
      const body = released(this.#lease, new Date());
      await client.replace(`${this.#path}/${name}`, body, undefined, { timeoutMs: RELEASE_MS });
      log.info('gave up the lease', { lease: name });
    } catch (error) {
      this.#report('cannot give up the lease; the next leader waits for it to expire', error);
    }
  }

  /** A request that hangs must leave time for another one before the deadline. */
  #limit(): { timeoutMs: number } {
    return { timeoutMs: Math.max(this.#options.retryPeriodMs, this.#options.renewDeadlineMs / 2) };
  }

  /** One retry period, 10 % more or less, so that candidates do not keep meeting. */
  async #pause(signal: AbortSignal = this.#signal): Promise<void> {
    const { retryPeriodMs, random = Math.random } = this.#options;
    await delay(retryPeriodMs * (0.9 + 0.2 * random()), undefined, { signal }).catch(() => undefined);
  }

  #report(message: string, error: unknown): void {
    this.#options.log.warn(message, { error, lease: this.#options.name });
  }
}
