import { sleepUntil } from '../life/sleep.ts';
import { mergePatch } from './merge-patch.ts';
import { whenToWrite } from './when.ts';
import type { NodeState } from '#api/kinds.ts';
import type { NodeStateStatus } from '#api/node-state.ts';

/** The agent's one object, as far as the reporter needs it. */
export interface StatusApi {
  /** Merge patch on the status; with `resourceVersion` only if nothing was written since. Gives the object as it is then. */
  patchStatus(patch: object, resourceVersion?: string): Promise<NodeState>;
}

export interface ReporterOptions {
  api: StatusApi;
  /** Milliseconds by a clock that nobody sets: one that is set back by a day must not silence the agent for a day. */
  now?: () => number;
  /** The wall clock, ms since 1970. */
  date?: () => number;
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Number in [0, 1). */
  random?: () => number;
  onError?: (error: unknown, retryInMs: number) => void;
  onWrite?: (patch: object) => void;
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
/** How long the watch may lag behind our own writes; later, what it shows is right (a restored backup, say). */
const SETTLE_MS = 10_000;

/**
 * Writes the agent's status: only what changed, one write at a time, the newest wish only. What could not be
 * written is still a difference when the API server is back, and is written then.
 */
export class Reporter {
  readonly #options: Required<ReporterOptions>;
  #object: NodeState | undefined;
  #desired: NodeStateStatus | undefined;
  /** `#desired` was made with the object at hand. */
  #informed = false;
  #phaseSince = 0;
  #lastWriteAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #retryAt = 0;
  /** A patch that the server answered without keeping it, as JSON: sending it again would change nothing. */
  #futile: string | undefined;
  #writing: Promise<unknown> = Promise.resolve();
  #wake: AbortController = new AbortController();

  constructor(options: ReporterOptions) {
    this.#options = {
      now: () => performance.now(),
      date: Date.now,
      sleep: sleepUntil,
      random: Math.random,
      onError: () => undefined,
      onWrite: () => undefined,
      ...options,
    };
  }

  /** The status that the API server has, as far as the agent has heard. */
  get reported(): NodeStateStatus | undefined {
    return this.#object?.status;
  }

  /** The status that the agent wants to be known, written or not yet, as it was when the object was known. */
  get proposed(): NodeStateStatus | undefined {
    return this.#informed ? this.#desired : undefined;
  }

  /** The object was seen, on the watch or in an answer; undefined: it is gone, or was never seen. */
  observe(object: NodeState | undefined): void {
    const settling = this.#options.now() - this.#lastWriteAt < SETTLE_MS;
    if (settling && object !== undefined && !isNewer(object, this.#object)) return;
    this.#object = object;
    this.#wake.abort();
  }

  /** The status that the agent wants to be known. */
  propose(desired: NodeStateStatus): void {
    if (desired.update?.phase !== this.#desired?.update?.phase) this.#phaseSince = this.#options.now();
    this.#desired = desired;
    this.#informed = this.#object !== undefined;
    this.#wake.abort();
  }

  /**
   * Writes at once, and only over `object` as it was read; a `KubeError` Conflict else. From then on it is what
   * the agent wants to be known, so that no older wish is written over it. No other write is in flight meanwhile.
   */
  async commit(desired: NodeStateStatus, object: NodeState): Promise<void> {
    const writing = this.#writing.then(async () => {
      await this.#write(differences(object, desired) ?? {}, object.metadata.resourceVersion);
      this.propose(desired);
    });
    this.#writing = writing.catch(() => undefined);
    await writing;
  }

  /** Reports until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const due = this.#due();
      const ms =
        due === undefined
          ? undefined
          : Math.max(due - this.#options.now(), this.#retryAt - this.#options.now());
      if (ms !== undefined && ms <= 0) await this.#report();
      else
        await this.#options.sleep(
          ms ?? Number.POSITIVE_INFINITY,
          AbortSignal.any([signal, this.#wake.signal]),
        );
    }
  }

  /** When the next write is due; undefined while there is nothing to write. */
  #due(): number | undefined {
    const patch = this.#patch();
    if (patch === undefined || this.#desired === undefined) return undefined;
    const { reported } = this;
    return whenToWrite({
      patch,
      desired: this.#desired,
      reported,
      phaseSince: this.#phaseSince,
      lastWriteAt: this.#lastWriteAt,
    });
  }

  #patch(): Record<string, unknown> | undefined {
    if (this.#object === undefined || this.#desired === undefined) return undefined;
    const patch = differences(this.#object, this.#desired);
    return JSON.stringify(patch) === this.#futile ? undefined : patch;
  }

  async #report(): Promise<void> {
    const writing = this.#writing.then(async () => {
      const patch = this.#patch();
      if (patch === undefined) return;
      await this.#write(patch);
      const left = JSON.stringify(this.#patch());
      this.#futile = left === JSON.stringify(patch) ? left : undefined;
    });
    this.#writing = writing.catch(() => undefined);
    await writing.then(
      () => this.#succeeded(),
      (error: unknown) => this.#failed(error),
    );
  }

  async #write(patch: object, resourceVersion?: string): Promise<NodeState> {
    const lastReport = new Date(this.#options.date()).toISOString();
    const object = await this.#options.api.patchStatus({ ...patch, lastReport }, resourceVersion);
    this.#lastWriteAt = this.#options.now();
    this.#options.onWrite(patch);
    if (isNewer(object, this.#object)) this.#object = object;
    return object;
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#retryAt = 0;
  }

  /** With jitter: after an outage a whole fleet has something to say. */
  #failed(error: unknown): void {
    const ceiling = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 10));
    const delay = ceiling * (0.5 + this.#options.random() / 2);
    this.#failures += 1;
    this.#retryAt = this.#options.now() + delay;
    this.#options.onError(error, delay);
  }
}

/** What has to be written; `lastReport` alone is no difference. */
function differences(object: NodeState, desired: NodeStateStatus): Record<string, unknown> | undefined {
  const { lastReport, ...reported } = object.status ?? {};
  void lastReport;
  return mergePatch(reported, desired);
}

/** The watch may lag behind the answers to our own writes. Versions of one object compare as numbers (KEP-5504). */
function isNewer(object: NodeState, than: NodeState | undefined): boolean {
  if (than === undefined || object.metadata.uid !== than.metadata.uid) return true;
  const [a = '', b = ''] = [object.metadata.resourceVersion, than.metadata.resourceVersion];
  return a.length === b.length ? a > b : a.length > b.length;
}
