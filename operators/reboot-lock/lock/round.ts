import { isKubeError } from '#runtime/client/error.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { StaleView, type View } from '../cluster/view.ts';
import { decide, type Decision } from './decide.ts';
import type { Lock } from './lock.ts';
import type { Snapshot } from './snapshot.ts';
import { lockStatus, urgency } from './status.ts';

/** What a round did, for those who tell and measure. */
export interface RoundOutcome {
  decision: Decision;
  snapshot: Snapshot;
  /** Places that were taken, with the milliseconds since they could first have been. */
  taken: readonly { node: string; afterMs: number }[];
  /** Look again after so many milliseconds. */
  againMs?: number | undefined;
}

const GATHER_MS = 1000;
/** After a lost compare-and-swap or a view behind the cluster. */
const RETRY_MS = 100;
/** At most so many nodes are read live in one round; the rest follow in the next, at once. */
const BATCH = 32;

/**
 * One round of all locks: a rehearsal on the caches; if it would change a place, the same decision again on a
 * live read, and then one compare-and-swap for each lock that changes, in name order. A node whose second lock
 * is lost to somebody else gives the first one back in the next round.
 */
export class Round {
  readonly #view: View;
  readonly #cluster: Cluster;
  /** Since when a change that can wait has waited, by lock; on the view's clock. */
  readonly #gathering = new Map<string, number>();
  /** Since when a place could be taken that is not taken yet, by node. */
  readonly #eligible = new Map<string, number>();

  constructor(view: View, cluster: Cluster) {
    this.#view = view;
    this.#cluster = cluster;
  }

  /** Undefined: the view is too old to decide from. */
  async run(): Promise<RoundOutcome | undefined> {
    if (this.#view.stale() !== undefined) return undefined;
    const cached = this.#view.cached();
    const rehearsal = decide(cached);
    try {
      this.#noteEligible(rehearsal, cached.now);
      if (rehearsal.changed.size === 0) return await this.#write(cached, rehearsal);
      const names = touched(rehearsal);
      const snapshot = await this.#view.live(names.slice(0, BATCH));
      const outcome = await this.#write(snapshot, decide(snapshot));
      return { ...outcome, againMs: names.length > BATCH ? 0 : outcome.againMs };
    } catch (error) {
      if (!(error instanceof StaleView) && !isKubeError(error, 'Conflict')) throw error;
      return { decision: nothing(rehearsal, cached), snapshot: cached, taken: [], againMs: RETRY_MS };
    }
  }

  async #write(snapshot: Snapshot, decision: Decision): Promise<RoundOutcome> {
    let againMs: number | undefined;
    for (const [index, lock] of decision.locks.entries()) {
      const before = snapshot.locks[index];
      if (before === undefined) continue;
      const waitMs = await this.#writeOne(before, lock, decision, snapshot);
      if (waitMs !== undefined) againMs = Math.min(againMs ?? Infinity, waitMs);
    }
    return { decision, snapshot, taken: this.#noteTaken(decision), againMs };
  }

  #noteEligible({ taken }: Decision, now: number): void {
    const names = new Set(taken.map(({ node }) => node));
    for (const name of this.#eligible.keys()) if (!names.has(name)) this.#eligible.delete(name);
    for (const name of names) if (!this.#eligible.has(name)) this.#eligible.set(name, now);
  }

  #noteTaken({ taken }: Decision): RoundOutcome['taken'] {
    const now = this.#view.now();
    const nodes = [...new Set(taken.map(({ node }) => node))];
    return nodes.map((node) => ({ node, afterMs: now - (this.#eligible.get(node) ?? now) }));
  }

  async #writeOne(
    before: Lock,
    lock: Lock,
    decision: Decision,
    snapshot: Snapshot,
  ): Promise<number | undefined> {
    const whole = lockStatus(lock, decision, snapshot);
    // Of a lock that cannot be evaluated nothing but the conditions is touched.
    const { conditions } = whole;
    const next = lock.invalid === undefined ? whole : { ...before.status, conditions };
    const how = urgency(before.status, next);
    if (how === 'never') {
      this.#gathering.delete(lock.name);
      return undefined;
    }
    const since = this.#gathering.get(lock.name) ?? snapshot.now;
    const waitMs = how === 'now' ? 0 : since + GATHER_MS - snapshot.now;
    if (waitMs > 0 && waitMs <= GATHER_MS) {
      this.#gathering.set(lock.name, since);
      return waitMs;
    }
    const status = lock.invalid === undefined ? next : { conditions };
    this.#view.locks.put(await this.#cluster.writeLock(lock, status));
    this.#gathering.delete(lock.name);
    return undefined;
  }
}

/** What became of a rehearsal that could not be carried out: the nodes wait as they did. */
function nothing({ waiting }: Decision, { locks }: Snapshot): Decision {
  return { locks, changed: new Set(), taken: [], released: [], restored: [], waiting };
}

/** Nodes whose places change. */
function touched({ taken, released, restored }: Decision): string[] {
  return [...new Set([...released, ...taken].map(({ node }) => node).concat(restored))];
}
