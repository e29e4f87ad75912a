import { hash } from 'node:crypto';

/** Gives numbers in [0, 1). */
export type Random = () => number;

/** Numbers that are the same whenever the seed is the same (mulberry32). */
export function seeded(seed: string): Random {
  let state = hash('sha256', seed, 'buffer').readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
