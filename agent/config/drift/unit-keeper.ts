import type { ConfigDocument, DocumentUnit } from '#api/config-document.ts';
import { ConfigError } from '../config-error.ts';
import type { Applied } from '../transaction/contract.ts';
import { checkUnits } from '../units/unit-rules.ts';
import type { UnitPolicy } from '../units/unit-rules.ts';
import type { Units, UnitWatch } from '../units/units.ts';
import type { Difference } from './difference.ts';
import type { Keeper } from './keeper.ts';
import { unitDrifts } from './unit-drift.ts';
import type { UnitDrift } from './unit-drift.ts';

export interface UnitKeeperOptions {
  units: Units;
  /** What the machine's own policy says of units. */
  policy: () => Promise<UnitPolicy>;
  onHint: () => void;
}

/** systemd gives a unit 90 s to stop, by default, and as long to start. */
const LIMIT_MS = 120_000;

/** Keeps units enabled or disabled, running or stopped, as the document in force wants them. */
export class UnitKeeper implements Keeper {
  readonly #options: UnitKeeperOptions;
  #document: ConfigDocument | undefined;
  #watch: UnitWatch | undefined;
  #watched = '';

  constructor(options: UnitKeeperOptions) {
    this.#options = options;
  }

  async listen({ document }: Applied): Promise<void> {
    const names = guardedUnits(document).map(({ name }) => name);
    const watched = names.join(' ');
    if (watched === this.#watched && this.#watch?.broken !== true) return;
    this.close();
    if (names.length === 0) return;
    this.#watch = await this.#options.units.watch(names, this.#options.onHint);
    this.#watched = watched;
  }

  close(): void {
    this.#watch?.close();
    this.#watch = undefined;
    this.#watched = '';
  }

  /** Of a machine that is going down nothing is wanted any more. */
  async find({ document }: Applied): Promise<Difference[]> {
    this.#document = document;
    const wanted = guardedUnits(document);
    if (wanted.length === 0 || (await this.#options.units.stopping())) return [];
    return this.#drifts(wanted);
  }

  async heal(name: string): Promise<boolean> {
    const { units, policy } = this.#options;
    const wanted = guardedUnits(this.#document).filter((unit) => unit.name === name);
    checkUnits({ units: wanted, disruption: [] }, await policy());
    if ((await this.#drifts(wanted)).some(({ unmask }) => unmask)) {
      await units.unmask(name);
      await units.reload();
    }
    for (const drift of await this.#drifts(wanted)) await this.#mend(drift);
    const [left] = await this.#drifts(wanted);
    if (left === undefined) return true;
    const message = `${name} is not as it should be for long; see "systemctl status ${name}" on the node`;
    throw new ConfigError('ActionFailed', message);
  }

  async #mend({ path: name, enable, run }: UnitDrift): Promise<void> {
    const { units } = this.#options;
    if (enable !== undefined) {
      await (enable ? units.enable(name) : units.disable(name));
      await units.reload();
    }
    if (run !== undefined) await units.job(run ? 'start' : 'stop', name, LIMIT_MS);
  }

  async #drifts(wanted: readonly DocumentUnit[]): Promise<UnitDrift[]> {
    return unitDrifts(wanted, await this.#options.units.facts(wanted.map(({ name }) => name)));
  }
}

/** Units of which something is wanted that others can change beside their files. */
function guardedUnits(document: ConfigDocument | undefined): DocumentUnit[] {
  return (document?.units ?? []).filter(
    ({ drift, mask, enabled, state }) =>
      drift !== 'Ignore' && !mask && (enabled !== undefined || state !== undefined),
  );
}
