import { durationMs } from '#api/fields.ts';
import type { ConfigDocument } from '#api/config-document.ts';
import type { Lowered } from './claims.ts';

/** Of several configs the longest timeout and the longest settle. */
export function longest(sets: readonly Lowered[]): ConfigDocument['confirm'] {
  return {
    timeout: longestOf(sets.map(({ confirm }) => confirm.timeout)),
    settle: longestOf(sets.map(({ confirm }) => confirm.settle)),
  };
}

/** 60s and 1m are equally long; the spelling is always the same one. */
function longestOf(all: readonly string[]): string {
  const [first = '0s'] = all.toSorted((a, b) => durationMs(b) - durationMs(a) || (a < b ? -1 : 1));
  return first;
}
