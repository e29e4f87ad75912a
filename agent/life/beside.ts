import type { HostFacts } from '../boot/host.ts';
import { failed, withoutStaged, withStaged } from '../record/transitions.ts';
import type { AgentRecord, Staged } from '../record/record.ts';
import type { SlotEngine } from '../slots/engine.ts';
import type { Stageable, Target, Work } from './facts.ts';
import { failureOf } from './fault.ts';
import type { Parts, Progress, StagedImage } from './parts.ts';
import { targetOf } from './target.ts';

type Ending =
  | { kind: 'staged'; target: Target; image: StagedImage }
  | { kind: 'rechecked'; staged: Staged; digest: string; grantID: string | undefined }
  | { kind: 'failed'; target: Target; task: 'stage' | 'recheck'; error: unknown };

/** Least time between two wakes of the loop for progress. */
const NEWS_MS = 1000;

/** The one long task that runs beside the loop: writing a slot, or reading it back. */
export class Beside {
  readonly #parts: Parts;
  readonly #work: Work;
  readonly #onNews: () => void;
  #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #ending: Ending | undefined;
  progress: Progress | undefined;

  constructor(parts: Parts, work: Work, onNews: () => void) {
    this.#parts = parts;
    this.#work = work;
    this.#onNews = onNews;
  }

  stage(engine: SlotEngine, wanted: Stageable): void {
    const target = targetOf(wanted) ?? { version: wanted.version, attempt: 1 };
    let told = Number.NEGATIVE_INFINITY;
    const onProgress = (progress: Progress): void => {
      this.progress = progress;
      if (this.#parts.monotonicMs() - told < NEWS_MS) return;
      told = this.#parts.monotonicMs();
      this.#onNews();
    };
    this.#begin('stage', target, async (signal) => {
      const image = await this.#parts.stager.stage(engine, wanted, signal, onProgress);
      return { kind: 'staged', target, image };
    });
  }

  recheck(engine: SlotEngine, staged: Staged, grantID?: string): void {
    this.#begin('recheck', staged, async (signal) => {
      const digest = await this.#parts.stager.digest(engine, staged, signal);
      return { kind: 'rechecked', staged, digest, grantID };
    });
  }

  /** Ends the task and forgets what came of it. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    this.#clear();
  }

  /** The record after the task's end, if it has ended since the last call; written when this returns. */
  async settle(record: AgentRecord, host: HostFacts): Promise<AgentRecord> {
    if (this.#ending === undefined) return record;
    const now = new Date(this.#parts.now()).toISOString();
    const after = recordAfter(this.#ending, record, host, now);
    if (after !== record) await this.#parts.records.write(after);
    this.#note(this.#ending);
    this.#clear();
    return after;
  }

  /** What this process has seen of the medium, and what went wrong. */
  #note(ending: Ending): void {
    const { log } = this.#parts;
    if (ending.kind === 'failed') {
      log.warn(`${ending.task} failed`, { error: ending.error });
    } else if (ending.kind === 'staged') {
      this.#work.verified = ending.image.digest;
    } else {
      const { digest, staged, grantID } = ending;
      if (digest !== staged.digest) log.warn('the staged slot was changed', { slot: staged.slot });
      this.#work.verified = digest;
      if (grantID !== undefined) this.#work.verifiedFor = grantID;
    }
  }

  #begin(task: 'stage' | 'recheck', target: Target, run: (signal: AbortSignal) => Promise<Ending>): void {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.#work.busy = { task, target, since: this.#parts.now() };
    this.#running = run(signal)
      .catch((error: unknown): Ending => ({ kind: 'failed', target, task, error }))
      .then((ending) => {
        this.#ending = ending;
        this.#onNews();
      });
  }

  #clear(): void {
    this.#ending = undefined;
    this.progress = undefined;
    delete this.#work.busy;
  }
}

function recordAfter(ending: Ending, record: AgentRecord, host: HostFacts, now: string): AgentRecord {
  switch (ending.kind) {
    case 'staged': {
      const { version, attempt, manifestSHA256 } = ending.target;
      return withStaged(record, { version, attempt, manifestSHA256, ...ending.image, requestedAt: now });
    }
    case 'rechecked':
      // Not what was written: the slot is unselectable still, and is written again.
      return ending.digest === ending.staged.digest ? record : withoutStaged(record);
    case 'failed': {
      if (ending.task === 'recheck') return withoutStaged(record);
      const { version, attempt } = ending.target;
      return failed(record, { version, attempt, from: host.os.version }, failureOf(ending.error), now);
    }
  }
}
