import { ConfigError } from '../config-error.ts';
import type { ConfigFailure, ConfigRecord } from './config-record.ts';
import type { Draft } from './draft.ts';
import type { ConfigFacts } from './facts.ts';
import { configFailureOf, isPassing } from './failure.ts';
import { makeDraft, NOTHING } from './make-draft.ts';
import type { ConfigParts } from './parts.ts';

const FIRST_RETRY_MS = 2000;
const LONGEST_RETRY_MS = 5 * 60_000;

/** What is wanted; an empty hash: nothing of careen's. */
export interface ConfigWish {
  hash: string;
  generation: number;
}

/** Finds out what a wish would change here; what cannot be had yet is tried again, ever more rarely. */
export class Drafting {
  readonly #parts: ConfigParts;
  #drafted: (ConfigWish & { draft: Draft }) | undefined;
  #trouble: ConfigFacts['trouble'];
  #troubles = 0;

  constructor(parts: ConfigParts) {
    this.#parts = parts;
  }

  get draft(): Draft | undefined {
    return this.#drafted?.draft;
  }

  /** As the next step follows from it. */
  facts(): Pick<ConfigFacts, 'draft' | 'trouble'> {
    if (this.#drafted === undefined) return { draft: undefined, trouble: this.#trouble };
    const { hash, generation, draft } = this.#drafted;
    return { draft: { hash, generation, needs: draft.needs }, trouble: this.#trouble };
  }

  forget(): void {
    this.#drafted = undefined;
  }

  /** Gives why it cannot be had here at all; undefined: it is drafted, or tried again later. */
  async make(
    wish: ConfigWish,
    record: ConfigRecord,
    signal: AbortSignal,
  ): Promise<ConfigFailure | undefined> {
    try {
      const document = wish.hash === '' ? NOTHING : (await this.#parts.bundle(wish, signal)).document;
      this.#drafted = { ...wish, draft: await makeDraft(document, record, this.#parts) };
      this.#trouble = undefined;
      this.#troubles = 0;
      return undefined;
    } catch (error) {
      if (signal.aborted || !(error instanceof ConfigError)) throw error;
      const failure = configFailureOf(error);
      if (!isPassing(failure)) return failure;
      this.#parts.agent.log.warn('config: cannot be had yet', { error });
      this.#tryLater(wish, failure);
      return undefined;
    }
  }

  /** The same on the disk of now; undefined where another kind of permission is needed for it now. */
  async renew(record: ConfigRecord): Promise<(ConfigWish & { draft: Draft }) | undefined> {
    const before = this.#drafted!;
    const draft = await makeDraft(before.draft.document, record, this.#parts);
    this.#drafted = { ...before, draft };
    return draft.needs === before.draft.needs ? this.#drafted : undefined;
  }

  #tryLater(wish: ConfigWish, error: ConfigFailure): void {
    const retryMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#troubles, 10));
    this.#troubles += 1;
    const retryAt = this.#parts.agent.monotonicMs() + retryMs * (0.5 + Math.random() / 2);
    this.#trouble = { ...wish, error, retryAt };
  }
}
