/**
 * Remembers since when each node has had its reason. Kept in memory: a new leader begins anew, which can only make a
 * hold be written later.
 */
export class Settling<R extends string> {
  readonly #afterMs: Partial<Record<R, number>>;
  readonly #since = new Map<string, { reason: R; at: number }>();

  /** How long a reason must have lasted, in ms; those that are not named count at once. */
  constructor(afterMs: Partial<Record<R, number>>) {
    this.#afterMs = afterMs;
  }

  /** Notes the node's reason now; returns the ms until it counts as settled, 0 when it does. */
  see(node: string, reason: R, now: number): number {
    const before = this.#since.get(node);
    const at = before?.reason === reason ? before.at : now;
    if (before?.reason !== reason) this.#since.set(node, { reason, at });
    return Math.max(0, at + (this.#afterMs[reason] ?? 0) - now);
  }

  /** Forgets every other node. */
  keepOnly(nodes: ReadonlySet<string>): void {
    for (const node of this.#since.keys()) if (!nodes.has(node)) this.#since.delete(node);
  }
}
