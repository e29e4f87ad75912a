import { StoreError } from '../store-error.ts';
import type { Outcome, Work } from '../work/work.ts';
import type { Engine } from './engine.ts';

/** Works in one transaction, at most: more would let the first of them wait for long. */
const MOST_TOGETHER = 256;
/** Works that wait, at most. */
const MOST_WAITING = 20_000;

interface Waiting {
  work: Work;
  end: (outcome: Outcome) => void;
}

/**
 * Commits what comes in while the last transaction is under way as the next one, together: a disk that does a
 * thousand transactions a second keeps up with many thousand requests.
 */
export class GroupCommit {
  readonly #engine: Engine;
  #waiting: Waiting[] = [];
  #loop: Promise<void> | undefined;
  #isClosed = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Resolves when the work is on the medium; rejects with what it threw, or with a `StoreError`. */
  run<T>(work: Work<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StoreError('Closed', 'the store is closed'));
    if (this.#waiting.length >= MOST_WAITING) {
      return Promise.reject(new StoreError('Overloaded', `${MOST_WAITING} requests wait for the store`));
    }
    const ended = Promise.withResolvers<T>();
    const end = (outcome: Outcome) => {
      if ('value' in outcome) ended.resolve(outcome.value as T);
      else ended.reject(outcome.error);
    };
    this.#waiting.push({ work, end });
    this.#loop ??= this.#commitAll();
    return ended.promise;
  }

  /** Commits what waits, and takes nothing more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#loop;
  }

  async #commitAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      await turnOfTheLoop();
      await this.#commit(this.#waiting.splice(0, MOST_TOGETHER));
    }
    this.#loop = undefined;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const outcomes = await this.#engine
      .commit(batch.map(({ work }) => work))
      .catch((error: unknown) => ({ error }));
    batch.forEach(({ end }, index) => {
      if (!Array.isArray(outcomes)) end(outcomes);
      else end(outcomes[index] ?? { error: new StoreError('Corrupt', 'a transaction without an outcome') });
    });
  }
}

/** Lets the requests that have arrived already come in, and the answers of the last transaction go out. */
function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
