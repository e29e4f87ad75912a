import { type Clock, elapsedMs, type Instant } from './clock.ts';

/** A write was tried, or a task went on, without leading. */
export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError';
}

/** What a leader may ask at any time. */
export interface Leadership {
  /** Whether the lease is surely still ours, by the clock and not only by what was last heard. */
  isLeading(): boolean;
  /** Throws a NotLeadingError unless leading. Call it right before a write. */
  fence(): void;
}

/**
 * How long this process may act. A term lasts `renewDeadlineMs` from the instant at which the last
 * successful write of the lease was *sent*; another candidate waits `leaseDurationMs` from the instant at which
 * it *saw* that write, which is later. The difference is the margin for requests that are under way.
 */
export class Term implements Leadership {
  readonly #clock: Clock;
  readonly #renewDeadlineMs: number;
  #renewed: Instant | undefined;
  #ended = false;

  constructor(renewDeadlineMs: number, clock: Clock) {
    this.#renewDeadlineMs = renewDeadlineMs;
    this.#clock = clock;
  }

  renewedAt(sent: Instant): void {
    this.#renewed = sent;
  }

  /** For good: a renewal that succeeds later does not bring the term back. */
  end(): void {
    this.#ended = true;
  }

  /** Milliseconds left to act; 0 or less: none. */
  leftMs(): number {
    if (this.#ended || this.#renewed === undefined) return 0;
    return this.#renewDeadlineMs - elapsedMs(this.#renewed, this.#clock());
  }

  isLeading(): boolean {
    return this.leftMs() > 0;
  }

  fence(): void {
    if (!this.isLeading())
      throw new NotLeadingError('this process does not hold the lease; nothing was written');
  }
}
