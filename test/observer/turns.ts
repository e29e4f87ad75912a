import type { RebootLock } from '#api/kinds.ts';

/** A node may have asked so shortly before that the leader could not know. */
const NOTICE_MS = 1500;

/** Which nodes asked for a reboot in one rollout, and when the lock gave them their places. Instants in milliseconds. */
export class TurnLog {
  readonly #asked = new Map<string, number>();
  /** By the lock's own word: a cordon may come seconds after its place. */
  readonly #placed = new Map<string, number>();

  asks(node: string, at: number): void {
    if (!this.#asked.has(node)) this.#asked.set(node, at);
  }

  see(lock: Pick<RebootLock, 'status'> | undefined): void {
    for (const { id, since } of lock?.status?.holders ?? []) this.#placed.set(id, Date.parse(since));
  }

  clear(): void {
    this.#asked.clear();
    this.#placed.clear();
  }

  /**
   * The nodes that waited in vain for the leader's own node to let them go first; none, if it went last of those
   * that had asked when its turn began. `leaderAt` is the node of the leader of the reboot lock at an instant.
   */
  overtakenByLeader(leaderAt: (at: number) => string | undefined): string[] {
    return [...this.#placed]
      .filter(([node, from]) => leaderAt(from - 1) === node)
      .flatMap(([, from]) =>
        [...this.#asked]
          .filter(
            ([other, since]) => since + NOTICE_MS < from && (this.#placed.get(other) ?? Infinity) > from,
          )
          .map(([other]) => other),
      );
  }
}
