/**
 * How much a status changed: `none`; `counts` only numbers and sentences that the next change will carry as
 * well; `story` something that a person or a program waits for; `record` what the next plan must know, such as
 * another target or a halt.
 */
export type StatusChange = 'none' | 'counts' | 'story' | 'record';

const LEAST_MS: Record<Exclude<StatusChange, 'none'>, number> = {
  /** Offers wait for the record of the target, and the failed nodes' own writes for that of the halt. */
  record: 0,
  /** What people and programs wait for; the gap only tames a flapping condition. */
  story: 1000,
  /** Every phase of every node changes a count: telling each would cost several writes a node. */
  counts: 10_000,
};

/** Least time between two writes of a group's status. */
export class StatusPace {
  readonly #wroteAt = new Map<string, number>();

  /** Ms until the status may be written: 0 now, undefined when there is nothing to write. */
  waitMs(name: string, change: StatusChange, now: number): number | undefined {
    if (change === 'none') return undefined;
    const wroteAt = this.#wroteAt.get(name) ?? -Infinity;
    return Math.max(0, wroteAt + LEAST_MS[change] - now);
  }

  wrote(name: string, now: number): void {
    this.#wroteAt.set(name, now);
  }

  /** The next group of this name begins anew. */
  forget(name: string): void {
    this.#wroteAt.delete(name);
  }
}
