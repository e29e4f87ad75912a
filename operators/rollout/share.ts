import type { CountOrPercent } from '#api/fields.ts';

/**
 * A count, or a percentage of `total`, as a number of nodes. `up`: a share rounds up (a wave of 1 % has a node).
 * `down`: it rounds down, but never to 0 unless it is written as 0 (a limit of 1 % lets one through).
 */
export function shareOf(value: CountOrPercent, total: number, rounding: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const percent = Number(value.slice(0, -1));
  // Multiplied before it is divided: 7 % of 100 is 7, not 7.000000000000001, which would round up to 8.
  const exact = (percent * total) / 100;
  if (rounding === 'up') return Math.ceil(exact);
  return percent === 0 ? 0 : Math.max(1, Math.floor(exact));
}
