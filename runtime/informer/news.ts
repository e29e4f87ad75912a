/** Tells changes that matter from others: an object often changes in what nothing depends on. */
export class News {
  readonly #seen = new Map<string, string>();

  /** Whether `value` differs from what was seen last under the key; undefined: it is gone. */
  isNews(key: string, value: unknown): boolean {
    if (value === undefined) return this.#seen.delete(key);
    const text = JSON.stringify(value);
    if (this.#seen.get(key) === text) return false;
    this.#seen.set(key, text);
    return true;
  }
}
