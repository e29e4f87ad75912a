import { freshCheck, type Health } from '../health/health.ts';

/** What of an informer does not depend on the kind of its objects. */
interface Watching {
  readonly hasSynced: boolean;
  start(): void;
  synced(signal?: AbortSignal): Promise<void>;
  ageMs(): number;
  stop(): Promise<void>;
}

/** A watch that was silent for longer than this is not decided upon; bookmarks come about once a minute. */
const STALE_MS = 150_000;

/** The informers that one operator decides from. */
export class Informers {
  readonly #all: readonly Watching[];

  constructor(all: readonly Watching[]) {
    this.#all = all;
  }

  /** Starts them; from then on the operator is ready once all have synced, and alive as long as all hear of the server. */
  start(health: Health): void {
    for (const [index, informer] of this.#all.entries()) {
      informer.start();
      health.live(`informer-${index}`, freshCheck(informer));
      health.ready(`informer-${index}`, () => (informer.hasSynced ? undefined : 'not listed yet'));
    }
  }

  async synced(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#all.map((informer) => informer.synced(signal)));
  }

  /** Whether every cache has heard of the server lately enough to be decided from. */
  isFresh(): boolean {
    return this.#all.every((informer) => informer.hasSynced && informer.ageMs() < STALE_MS);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((informer) => informer.stop()));
  }
}
