const WINDOW_MS = 3_600_000;
const MOST_KEYS = 4096;

/** Remembers for an hour (the time an API server keeps events) what was told; bounded, the oldest is forgotten first. */
export class Repetitions {
  readonly #told = new Map<string, number>();

  /** Whether the key was not told within the last hour; then it counts as told at `now` (milliseconds). */
  isFirst(key: string, now: number): boolean {
    const last = this.#told.get(key);
    if (last !== undefined && now - last < WINDOW_MS) return false;
    this.#told.delete(key);
    this.#told.set(key, now);
    if (this.#told.size > MOST_KEYS) this.#forgetOldest();
    return true;
  }

  #forgetOldest(): void {
    for (const key of this.#told.keys()) {
      this.#told.delete(key);
      break;
    }
  }
}
