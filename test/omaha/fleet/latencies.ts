const KEPT = 65_536;

/** How long answers took: percentiles over the last 65536, in ms. */
export class Latencies {
  readonly #values = new Float64Array(KEPT);
  #count = 0;

  add(ms: number): void {
    this.#values[this.#count++ % KEPT] = ms;
  }

  /** `share` from 0 to 1; 0 ms before the first answer. */
  percentile(share: number): number {
    const sorted = this.#values.subarray(0, Math.min(this.#count, KEPT)).toSorted();
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  }
}
