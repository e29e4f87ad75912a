import type { RebootReason, Verdict } from '#api/reasons.ts';
import type { ReconcileContext, ReconcileResult } from '#runtime/controller/controller.ts';
import type { Caches, View } from '../cluster/view.ts';
import type { Holds } from '../tell/holds.ts';
import type { RebootMetrics } from '../tell/metrics.ts';
import { unavailable } from './availability.ts';
import { begun } from './facts.ts';
import { readLock } from './lock.ts';
import type { Round, RoundOutcome } from './round.ts';
import type { Snapshot } from './snapshot.ts';

export interface RoundsOptions {
  round: Round;
  view: View;
  caches: Caches;
  holds: Holds;
  metrics: RebootMetrics;
  /** What is held against a node from now on; undefined: nothing. */
  say: (node: string, verdict: Verdict<RebootReason> | undefined, now: number) => void;
  /** The node's turn has begun, goes on or is over: look at it. */
  wake: (node: string) => void;
}

const STALE_MS = 1000;
/** Reasons that end by the clock alone; while nodes wait for one of them the decision is made again this often. */
const TIMED: ReadonlySet<RebootReason> = new Set(['Skipped', 'MinSeparation', 'DelayBetween']);
const TIMED_MS = 1000;

/** One round after the other, and what follows from each: turns begin, and every other node is told why it waits. */
export class Rounds {
  readonly #options: RoundsOptions;
  #inTurn: ReadonlySet<string> = new Set();

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** Nodes that hold a place or carry our mark, as of the last round. */
  get inTurn(): ReadonlySet<string> {
    return this.#inTurn;
  }

  async decide({ log }: Pick<ReconcileContext, 'log'>): Promise<ReconcileResult> {
    const { round, view, metrics } = this.#options;
    const outcome = await round.run();
    if (outcome === undefined) {
      log.warn('the view is too old to decide from; nothing is granted', { why: view.stale() });
      metrics.waiting(new Map([['SnapshotStale', this.#asking()]]));
      return { requeueAfterMs: STALE_MS };
    }
    const { decision } = outcome;
    for (const { node, lock, why } of decision.released) log.info('place given back', { node, lock, why });
    for (const { node, lock } of decision.taken) log.info('place taken', { node, lock });
    for (const { afterMs } of outcome.taken) metrics.taken(afterMs / 1000);
    this.#follow(outcome);
    const timed = decision.waiting.some(({ verdict }) => TIMED.has(verdict.reason));
    const againMs = Math.min(outcome.againMs ?? Infinity, timed ? TIMED_MS : Infinity);
    return Number.isFinite(againMs) ? { requeueAfterMs: againMs } : undefined;
  }

  /** How many nodes ask for a reboot, as far as is known. */
  #asking(): number {
    const { caches } = this.#options;
    return caches.states().filter(({ status }) => status?.reboot?.requested === true).length;
  }

  #follow({ decision, snapshot }: RoundOutcome): void {
    const { say, wake } = this.#options;
    const before = this.#inTurn;
    const holding = decision.locks.flatMap(({ holders }) => holders.map(({ id }) => id));
    const ours = snapshot.nodes.filter((node) => begun(node)).map(({ name }) => name);
    this.#inTurn = new Set([...holding, ...ours]);
    for (const name of this.#inTurn) if (!before.has(name)) wake(name);
    for (const { node } of decision.released) wake(node);
    const waiting = new Map(decision.waiting.map(({ node, verdict }) => [node, verdict]));
    for (const [node, verdict] of waiting) if (!this.#inTurn.has(node)) say(node, verdict, snapshot.now);
    for (const node of this.#quiet(snapshot, waiting)) say(node, undefined, snapshot.now);
    this.#measure(snapshot);
  }

  /** Nodes that neither wait nor have their turn and of which something is still said. */
  #quiet({ nodes }: Snapshot, waiting: ReadonlyMap<string, unknown>): string[] {
    const told = nodes.filter(({ state }) => state?.hold !== undefined).map(({ name }) => name);
    const said = new Set([...told, ...this.#options.holds.names()]);
    return [...said].filter((name) => !waiting.has(name) && !this.#inTurn.has(name));
  }

  #measure({ nodes }: Snapshot): void {
    const { metrics, caches, holds } = this.#options;
    const byName = new Map(caches.locks().map((lock) => [lock.metadata.name, lock]));
    const outages = (name: string) => {
      const lock = byName.get(name);
      return lock === undefined ? 0 : unavailable(readLock(lock), nodes).length;
    };
    metrics.locks(caches.locks(), outages);
    metrics.waiting(holds.counts());
  }
}
