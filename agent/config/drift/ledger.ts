import { ConfigError } from '../config-error.ts';
import type { Difference, DriftKind } from './difference.ts';
import { afterPeace, decideHeal, HEALS_PER_HOUR } from './heal-budget.ts';
import type { HealHistory } from './heal-budget.ts';

/** What others changed, as the status tells it. */
export interface Drift {
  /** A path, or the name of a unit. */
  path: string;
  kind: DriftKind;
  healed: boolean;
  /** When it was found. */
  since: string;
  /** Why it is not healed: somebody fights for it, or it cannot be. */
  error?: ConfigError | undefined;
}

/** How long something that was healed is still told. */
const TOLD_MS = 3_600_000;

/** What the guard remembers of each path; in memory only: after a restart everything is looked at anew. */
export class Ledger {
  readonly #monotonicMs: () => number;
  readonly #drift = new Map<string, Drift>();
  readonly #histories = new Map<string, HealHistory>();

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  get drift(): readonly Drift[] {
    return [...this.#drift.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  clear(): void {
    this.#drift.clear();
    this.#histories.clear();
  }

  /**
   * Takes what a look found; gives the paths to heal. What a look that was not `complete` did not find, may still be
   * different.
   */
  note(found: readonly Difference[], complete = true): Set<string> {
    const different = new Map(found.map((item) => [item.path, item]));
    if (complete) this.#settle(different);
    return new Set(found.filter((item) => this.#judge(item)).map(({ path }) => path));
  }

  healed(path: string): void {
    const drift = this.#drift.get(path);
    if (drift !== undefined) this.#drift.set(path, { ...drift, healed: true, error: undefined });
  }

  failed(path: string, error: ConfigError): void {
    const drift = this.#drift.get(path);
    if (drift !== undefined) this.#drift.set(path, { ...drift, error });
  }

  #judge({ path, kind, policy }: Difference): boolean {
    const now = this.#monotonicMs();
    const known = this.#drift.get(path);
    const since = known !== undefined && !known.healed ? known.since : new Date().toISOString();
    this.#drift.set(path, { path, kind, healed: false, since });
    if (policy === 'Report') return false;
    const { heal, history } = decideHeal(this.#histories.get(path), now);
    this.#histories.set(path, history);
    if (!heal) this.failed(path, fighting(path, kind));
    return heal;
  }

  /** Paths that are as they should be: told as healed for a while, and then forgotten. */
  #settle(different: ReadonlyMap<string, Difference>): void {
    const now = this.#monotonicMs();
    for (const [path, drift] of this.#drift) {
      if (different.has(path)) continue;
      const history = this.#histories.get(path);
      if (!drift.healed || history === undefined || history.lastDrift <= now - TOLD_MS)
        this.#drift.delete(path);
    }
    for (const [path, history] of this.#histories) {
      if (!different.has(path) && afterPeace(history, now) === undefined) this.#histories.delete(path);
    }
  }
}

function fighting(path: string, kind: DriftKind): ConfigError {
  const often = `it was healed ${HEALS_PER_HOUR} times within an hour and changed again`;
  const who =
    kind === 'Unit' ? `see "journalctl -u ${path}" for who or what changes it` : 'find who else writes it';
  const message = `${path} is not healed any more: ${often}; ${who}, or set its drift to Report`;
  return new ConfigError('DriftFighting', message, { path });
}
