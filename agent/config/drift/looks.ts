/** The truth, however deaf everybody is. */
export const SWEEP_MS = 300_000;
/** After a hint: a program that writes a file touches it several times. */
const SETTLE_MS = 250;
/** Between two looks: who changes something without end is not to have the node look without end. */
const REST_MS = 2000;

/** When to look: on start, soon after a hint, and every five minutes. One look at a time. */
export class Looks {
  readonly #look: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer ends, by the clock that nobody sets, ms. */
  #due = Infinity;
  #last = -Infinity;
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
      await this.#look();
      this.#last = performance.now();
      this.#by(this.#last + SWEEP_MS);
    });
    return this.#looking;
  }

  hint(): void {
    this.#by(Math.max(performance.now() + SETTLE_MS, this.#last + REST_MS));
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
