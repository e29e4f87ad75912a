/** The truth, however deaf everybody is. */
export const SWEEP_MS = 300_000;
/** After a hint: a program that writes a file touches it several times. */
const SETTLE_MS = 250;
/** Between two looks: who changes something without end is not to have the node look without end. */
const REST_MS = 2000;
/** Nor most of the time, where a look takes long. */
const REST_SHARE = 3;
const LONGEST_REST_MS = 15_000;

/** When to look: on start, soon after a hint, and every five minutes. One look at a time. */
export class Looks {
  readonly #look: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer ends, by the clock that nobody sets, ms. */
  #due = Infinity;
  /** No look after a hint before it. */
  #restsUntil = -Infinity;
  #running = false;
  #looking: Promise<void> = Promise.resolve();

  /** `look` never rejects. */
  constructor(look: () => Promise<void>) {
    this.#look = look;
  }

  /** Begins with a look; resolves after it. */
  async start(): Promise<void> {
    this.#running = true;
    await this.now();
  }

  /** Resolves when no look is under way any more. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#cancel();
    await this.#looking;
  }

  /** After one that is under way. */
  now(): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      const began = performance.now();
      await this.#look();
      const ended = performance.now();
      const restMs = Math.min(LONGEST_REST_MS, Math.max(REST_MS, REST_SHARE * (ended - began)));
      this.#restsUntil = ended + restMs;
      this.#by(ended + SWEEP_MS);
    });
    return this.#looking;
  }

  hint(): void {
    this.#by(Math.max(performance.now() + SETTLE_MS, this.#restsUntil));
  }

  /** A later hint never puts off what an earlier one has begun. */
  #by(due: number): void {
    if (!this.#running || due >= this.#due) return;
    this.#cancel();
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#due = Infinity;
      void this.now();
    }, due - performance.now()).unref();
  }

  #cancel(): void {
    clearTimeout(this.#timer);
    this.#due = Infinity;
  }
}
