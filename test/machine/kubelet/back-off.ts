/** Delays of restarts, in milliseconds. A container that ran for `resetMs` starts over. */
export interface BackOff {
  firstMs: number;
  maxMs: number;
  resetMs: number;
}

/** The first restart comes at once, each later one after twice the delay of the one before. */
export function backOffMs(failures: number, backOff: BackOff): number {
  if (failures <= 1) return 0;
  return Math.min(backOff.maxMs, backOff.firstMs * 2 ** (failures - 2));
}
