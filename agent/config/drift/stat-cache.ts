import type { BigIntStats } from 'node:fs';
import type { HashCache } from '../plan/scan.ts';

/**
 * Hashes of files by device, inode, size and both times. The time of change (ctime) cannot be set by any call, so
 * a file that was written to is never taken for the same; but a clock's tick is coarse, so a file that was changed
 * just before it was looked at is not remembered.
 */
export class StatCache implements HashCache {
  readonly #hashes = new Map<string, string>();
  readonly #next = new Map<string, string>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  get(stat: BigIntStats): string | undefined {
    return this.#hashes.get(keyOf(stat));
  }

  set(stat: BigIntStats, sha256: string): void {
    const age = this.#now() - Number(stat.ctimeMs);
    if (age > SETTLED_MS) this.#next.set(keyOf(stat), sha256);
  }

  /** After a sweep over everything: what was not seen is forgotten. */
  turn(): void {
    this.#hashes.clear();
    for (const [key, hash] of this.#next) this.#hashes.set(key, hash);
    this.#next.clear();
  }
}

/** Several ticks of the kernel's coarse clock. */
const SETTLED_MS = 2000;

function keyOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}
