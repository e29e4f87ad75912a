/** The data of a Secret or ConfigMap. */
export type Data = Readonly<Record<string, Uint8Array>>;

interface Pending {
  data: Data;
  firstAt: number;
  lastAt: number;
}

/** A rotation comes in several steps; each would be a rollout of its own. */
const QUIET_MS = 5000;
const LONGEST_MS = 30_000;

/**
 * Objects as they were when they last stood still: a change counts after 5 s without another, at the latest 30 s
 * after the first one. What is new or gone counts at once. Times are in ms since the epoch.
 */
export class CalmObjects {
  readonly #settled = new Map<string, Data>();
  readonly #pending = new Map<string, Pending>();

  get(key: string): Data | undefined {
    return this.#settled.get(key);
  }

  /** Notes what the object is now; undefined: it is gone. Whether anything that `get` says has changed. */
  see(key: string, data: Data | undefined, now: number): boolean {
    const settled = this.#settled.get(key);
    if (data === undefined) {
      this.#pending.delete(key);
      return this.#settled.delete(key);
    }
    if (settled === undefined) {
      this.#settled.set(key, data);
      return true;
    }
    const pending = this.#pending.get(key);
    if (isSame(pending?.data ?? settled, data)) return false;
    if (isSame(settled, data)) this.#pending.delete(key);
    else this.#pending.set(key, { data, firstAt: pending?.firstAt ?? now, lastAt: now });
    return false;
  }

  /** Lets what is due count; whether there was any. */
  settle(now: number): boolean {
    let isAny = false;
    for (const [key, pending] of this.#pending) {
      if (dueAt(pending) > now) continue;
      this.#pending.delete(key);
      this.#settled.set(key, pending.data);
      isAny = true;
    }
    return isAny;
  }

  /** When something will be due. */
  nextAt(): number | undefined {
    const times = [...this.#pending.values()].map(dueAt);
    return times.length === 0 ? undefined : Math.min(...times);
  }
}

function dueAt({ firstAt, lastAt }: Pending): number {
  return Math.min(lastAt + QUIET_MS, firstAt + LONGEST_MS);
}

function isSame(a: Data, b: Data): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => {
    const other = b[key];
    return other !== undefined && Buffer.compare(a[key] ?? new Uint8Array(), other) === 0;
  });
}
