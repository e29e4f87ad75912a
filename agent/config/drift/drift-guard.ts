import { dirname } from 'node:path';
import type { Log } from '#runtime/log/log.ts';
import { ConfigError, configErrorOf } from '../config-error.ts';
import type { HostTree } from '../paths/host-tree.ts';
import type { Owned } from '../plan/owned.ts';
import type { HostFiles } from '../transaction/host-files.ts';
import { Hints } from './hints.ts';
import { Ledger } from './ledger.ts';
import type { Drift } from './ledger.ts';
import { StatCache } from './stat-cache.ts';
import { sweep } from './sweep.ts';

/** The truth, however deaf inotify is. */
export const SWEEP_MS = 300_000;
/** After a hint: a program that writes a file touches it several times. */
const SETTLE_MS = 250;

export interface DriftGuardOptions {
  tree: HostTree;
  files: Pick<HostFiles, 'applied' | 'heal' | 'tidy'>;
  log: Pick<Log, 'info' | 'warn'>;
  /** Called when what is known has changed. */
  onChange: (drift: readonly Drift[]) => void;
  sweepMs?: number | undefined;
  /** Milliseconds of a clock that nobody sets. */
  monotonicMs?: (() => number) | undefined;
}

/**
 * Keeps what is in force as it was applied: looks after every hint of the kernel, every five minutes and on start,
 * and heals what is to be healed. Not to be run while a transaction is under way.
 */
export class DriftGuard {
  readonly #options: DriftGuardOptions;
  readonly #hints: Hints;
  readonly #cache = new StatCache();
  readonly #ledger: Ledger;
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: DriftGuardOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options.monotonicMs ?? (() => performance.now()));
    this.#hints = new Hints(options.tree.root, () => this.#schedule(SETTLE_MS));
  }

  /** What is different now, or was and was healed within the last hour. */
  get drift(): readonly Drift[] {
    return this.#ledger.drift;
  }

  /** Begins with a sweep; resolves after it. */
  async start(): Promise<void> {
    this.#running = true;
    await this.look();
  }

  /** Resolves when nothing is being looked at or healed any more. */
  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#hints.close();
    await this.#looking;
  }

  /** Something else is in force: who fought for the old may agree with the new. */
  forget(): void {
    this.#ledger.clear();
  }

  /** One sweep over everything, at once; after one that is under way. Never rejects. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#running) return;
    this.#timer = setTimeout(() => void this.look(), ms).unref();
  }

  async #look(): Promise<void> {
    const { files, log, sweepMs = SWEEP_MS } = this.#options;
    try {
      const { owned } = await files.applied();
      // Before it looks, so that what happens meanwhile is heard.
      if (this.#running) await this.#hints.watch(new Set(owned.map(({ path }) => dirname(path))));
      await this.#sweep(owned);
      this.#cache.turn();
    } catch (error) {
      log.warn('managed files could not be looked at', {
        error: configErrorOf(error, 'reading', 'managed files'),
      });
    }
    this.#schedule(sweepMs);
  }

  async #sweep(owned: readonly Owned[]): Promise<void> {
    const { tree, files, log, onChange } = this.#options;
    await files.tidy(log);
    const before = JSON.stringify(this.drift);
    const toHeal = this.#ledger.note(await sweep(tree, owned, this.#cache));
    if (toHeal.size > 0) await this.#heal(files, toHeal);
    if (JSON.stringify(this.drift) !== before) onChange(this.drift);
  }

  async #heal(files: DriftGuardOptions['files'], paths: ReadonlySet<string>): Promise<void> {
    const { log } = this.#options;
    // Each on its own: one that cannot be healed keeps none of the others from it.
    for (const path of paths) {
      try {
        if (await files.heal(new Set([path]))) this.#ledger.healed(path);
        log.info('a managed file was changed by others and is as it should be again', { path });
      } catch (error) {
        const failure = error instanceof ConfigError ? error : configErrorOf(error, 'healing', path);
        this.#ledger.failed(path, failure);
        log.warn('a managed file was changed by others and cannot be healed', { path, error: failure });
      }
    }
  }
}
