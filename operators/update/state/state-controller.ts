import { isKubeError } from '#runtime/client/error.ts';
import type { ReconcileContext, ReconcileResult } from '#runtime/controller/controller.ts';
import type { GroupMetrics } from '../group/group-metrics.ts';
import type { World } from '../world.ts';
import { readFacts } from '../rollout/facts.ts';
import { isBeyondReturn } from '../rollout/progress.ts';
import { groupless } from './desired-update.ts';
import { grouplessVerdict } from './groupless.ts';
import type { NodeWrites } from './node-writes.ts';
import type { StateWriter } from './state-writer.ts';

export interface StateControllerOptions {
  world: World;
  writer: StateWriter;
  writes: NodeWrites;
  metrics: GroupMetrics;
  /** ms since the epoch. */
  now: () => number;
}

const CONFLICT_MS = 250;
const STALE_RETRY_MS = 5000;

/** Keeps the NodeState of every node that is in no group; those of members are kept with their group. */
export class StateController {
  readonly #options: StateControllerOptions;
  readonly #held = new Map<string, 'NoGroup' | 'GroupConflict'>();

  constructor(options: StateControllerOptions) {
    this.#options = options;
  }

  async reconcile(name: string, { signal, log }: ReconcileContext): Promise<ReconcileResult> {
    const { world, writer, writes, now } = this.#options;
    const stale = world.informers.stale();
    if (stale !== undefined) {
      log.warn('the caches are not to be decided from; waiting', { why: stale });
      return { requeueAfterMs: STALE_RETRY_MS };
    }
    const node = world.nodes.get(name);
    const verdict = node === undefined ? undefined : grouplessVerdict(world.membership.of(name));
    this.#count(name, verdict?.reason);
    if (node === undefined || verdict === undefined) return;
    const facts = readFacts(node, writer.stateOf(node));
    if (isBeyondReturn(facts)) return;
    const next = groupless(facts.wanted, verdict, new Date(now()).toISOString());
    if (next === facts.wanted) return;
    try {
      await writes.one(node, facts.wanted, next, signal);
    } catch (error) {
      if (!isKubeError(error, 'Conflict')) throw error;
      return { requeueAfterMs: CONFLICT_MS };
    }
  }

  #count(name: string, reason: string | undefined): void {
    if (reason === 'NoGroup' || reason === 'GroupConflict') this.#held.set(name, reason);
    else if (!this.#held.delete(name)) return;
    this.#options.metrics.held('', this.#held.values());
  }
}
