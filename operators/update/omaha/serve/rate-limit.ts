/** How many requests of one kind of caller are let through. */
export interface Rate {
  /** At once, after a pause. */
  burst: number;
  /** In the long run; 0: no limit. */
  perSecond: number;
}

interface Bucket {
  level: number;
  at: number;
}

/** So many callers are remembered; the one that was silent longest is forgotten first. */
const MOST = 100_000;

/**
 * A leaky bucket for each caller. Memory is bounded, whatever names the callers give themselves: those who invent
 * a new one for each request are bounded by their address.
 */
export class RateLimit {
  readonly #rate: Rate;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one request of the caller; returns in how many seconds to come again, or undefined when it may go on. */
  take(caller: string, now: number): number | undefined {
    const { burst, perSecond } = this.#rate;
    if (perSecond === 0) return undefined;
    const bucket = this.#buckets.get(caller) ?? { level: 0, at: now };
    const level = Math.max(0, bucket.level - (Math.max(0, now - bucket.at) / 1000) * perSecond);
    if (level + 1 > burst) return Math.ceil((level + 1 - burst) / perSecond);
    this.#remember(caller, { level: level + 1, at: now });
    return undefined;
  }

  #remember(caller: string, bucket: Bucket): void {
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size <= MOST) return;
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}
