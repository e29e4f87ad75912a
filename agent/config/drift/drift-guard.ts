import type { Log } from '#runtime/log/log.ts';
import { configErrorOf } from '../config-error.ts';
import type { ConfigError } from '../config-error.ts';
import type { HostTree } from '../paths/host-tree.ts';
import type { Applied } from '../transaction/contract.ts';
import type { HostFiles } from '../transaction/host-files.ts';
import type { UnitPolicy } from '../units/unit-rules.ts';
import type { Units } from '../units/units.ts';
import type { Difference } from './difference.ts';
import { FileKeeper } from './file-keeper.ts';
import type { Keeper } from './keeper.ts';
import { Ledger } from './ledger.ts';
import type { Drift } from './ledger.ts';
import { Looks } from './looks.ts';
import { UnitKeeper } from './unit-keeper.ts';

export interface DriftGuardOptions {
  tree: HostTree;
  files: Pick<HostFiles, 'applied' | 'heal' | 'tidy'>;
  units: Units;
  /** What the machine's own policy says of units. */
  policy: () => Promise<UnitPolicy>;
  log: Pick<Log, 'info' | 'warn'>;
  /** Called when what is known has changed. */
  onChange: (drift: readonly Drift[]) => void;
  /** Milliseconds of a clock that nobody sets. */
  monotonicMs?: (() => number) | undefined;
}

/**
 * Keeps what is in force as it was applied: looks after every hint of the kernel or of systemd, every five minutes
 * and on start, and heals what is to be healed. Not to be run while a transaction is under way.
 */
export class DriftGuard {
  readonly #options: DriftGuardOptions;
  readonly #keepers: readonly Keeper[];
  readonly #ledger: Ledger;
  readonly #looks = new Looks(() => this.#look());

  constructor(options: DriftGuardOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options.monotonicMs ?? (() => performance.now()));
    const { tree, files, units, policy, log } = options;
    const onHint = () => this.#looks.hint();
    // Files first: a unit whose file is gone cannot be started.
    this.#keepers = [
      new FileKeeper({ tree, files, log, onHint, reloadUnits: () => units.reload() }),
      new UnitKeeper({ units, policy, onHint }),
    ];
  }

  /** What is different now, or was and was healed within the last hour. */
  get drift(): readonly Drift[] {
    return this.#ledger.drift;
  }

  /** Begins with a look; resolves after it. */
  start(): Promise<void> {
    return this.#looks.start();
  }

  /** Resolves when nothing is being looked at or healed any more. */
  async stop(): Promise<void> {
    await this.#looks.stop();
    for (const keeper of this.#keepers) keeper.close();
  }

  /** Something else is in force: who fought for the old may agree with the new. */
  forget(): void {
    this.#ledger.clear();
  }

  /** One look at everything, at once; after one that is under way. Never rejects. */
  look(): Promise<void> {
    return this.#looks.now();
  }

  async #look(): Promise<void> {
    const { files, log, onChange } = this.#options;
    try {
      const before = JSON.stringify(this.drift);
      const { found, complete } = await this.#find(await files.applied());
      const toHeal = this.#ledger.note([...found.keys()], complete);
      // Each on its own: one that cannot be healed keeps none of the others from it.
      for (const [{ path }, keeper] of found) if (toHeal.has(path)) await this.#heal(path, keeper);
      if (JSON.stringify(this.drift) !== before) onChange(this.drift);
    } catch (error) {
      log.warn('what is in force could not be looked at', { error: reasonOf(error) });
    }
  }

  /** Not `complete`: one kind could not be looked at. */
  async #find(applied: Applied): Promise<{ found: Map<Difference, Keeper>; complete: boolean }> {
    const found = new Map<Difference, Keeper>();
    let complete = true;
    for (const keeper of this.#keepers) {
      try {
        // Before it looks, so that what happens meanwhile is heard.
        await keeper.listen(applied);
        for (const difference of await keeper.find(applied)) found.set(difference, keeper);
      } catch (error) {
        complete = false;
        this.#options.log.warn('what is in force could not be looked at', { error: reasonOf(error) });
      }
    }
    return { found, complete };
  }

  async #heal(path: string, keeper: Keeper): Promise<void> {
    const { log } = this.#options;
    try {
      if (!(await keeper.heal(path))) return;
      this.#ledger.healed(path);
      log.info('something was changed by others and is as it should be again', { path });
    } catch (error) {
      const failure = configErrorOf(error, 'healing', path);
      this.#ledger.failed(path, failure);
      log.warn('something was changed by others and cannot be healed', { path, error: failure });
    }
  }
}

function reasonOf(error: unknown): ConfigError {
  return configErrorOf(error, 'reading', 'what is in force');
}
