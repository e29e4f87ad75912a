import type { RolloutReason } from '#api/reasons.ts';

/**
 * How long a reason must have lasted before it is written down, in ms. Reasons that come and go by themselves
 * within moments would cost two writes a node for nothing; all others are written at once. Under a minute for
 * each: what NodeState tells is never older than that (invariant 21).
 */
const SETTLES_AFTER_MS: Partial<Record<RolloutReason, number>> = {
  WaitingForWave: 20_000,
  Soaking: 20_000,
  MaxStaging: 20_000,
  // An agent that starts, and a node that boots, are silent for a while. A reboot of ours is not meant: what is
  // past the point of no return is not asked after.
  AgentSilent: 45_000,
  // An agent tries again by itself, with waits of up to some seconds at first.
  AgentFaulty: 20_000,
};

/**
 * Remembers since when each node has had its reason. Kept in memory: a new leader begins anew, which can only
 * make a hold be written later.
 */
export class Settling {
  readonly #since = new Map<string, { reason: RolloutReason; at: number }>();

  /** Notes the node's reason now; returns the ms until it counts as settled, 0 when it does. */
  see(node: string, reason: RolloutReason, now: number): number {
    const before = this.#since.get(node);
    const at = before?.reason === reason ? before.at : now;
    if (before?.reason !== reason) this.#since.set(node, { reason, at });
    return Math.max(0, at + (SETTLES_AFTER_MS[reason] ?? 0) - now);
  }

  /** Forgets every other node. */
  keepOnly(nodes: ReadonlySet<string>): void {
    for (const node of this.#since.keys()) if (!nodes.has(node)) this.#since.delete(node);
  }
}
