import { freshCheck, type Health } from '../health/health.ts';

/** What of an informer does not depend on the kind of its objects. */
interface Watching {
  readonly path: string;
  readonly hasSynced: boolean;
  start(): void;
  synced(signal?: AbortSignal): Promise<void>;
  ageMs(): number;
  stop(): Promise<void>;
}

/** A watch that was silent for longer than this is not decided upon; bookmarks come about once a minute. */
const OLDEST_MS = 150_000;

/** The informers that one operator decides from. */
export class Informers {
  readonly #all: readonly Watching[];
  readonly #oldestMs: number;

  constructor(all: readonly Watching[], oldestMs = OLDEST_MS) {
    this.#all = all;
    this.#oldestMs = oldestMs;
  }

  /** Starts them; from then on the operator is ready once all have synced, and alive as long as all hear of the server. */
  start(health: Health): void {
    for (const informer of this.#all) {
      informer.start();
      health.live(`watch ${informer.path}`, freshCheck(informer));
      health.ready(`watch ${informer.path}`, () => (informer.hasSynced ? undefined : 'not listed yet'));
    }
  }

  async synced(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#all.map((informer) => informer.synced(signal)));
  }

  /** Why the caches are not to be decided from: one was not listed yet, or not heard of the server for too long. */
  stale(): string | undefined {
    for (const informer of this.#all) {
      const resource = informer.path.slice(informer.path.lastIndexOf('/') + 1);
      if (!informer.hasSynced) return `${resource} are not listed yet`;
      if (informer.ageMs() > this.#oldestMs)
        return `${resource} were not heard of for ${this.#oldestMs / 1000} s`;
    }
    return undefined;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((informer) => informer.stop()));
  }
}
