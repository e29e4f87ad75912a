import { orderKey } from './waves.ts';

/** So many hexadecimal digits of the order are as much as a double holds exactly. */
const DIGITS = 13;

/**
 * When a rollout that opens evenly over `durationMs` comes to one of its nodes, in ms since the epoch. As waves are,
 * it is salted by group and target: stable for a node within a rollout, and other nodes come first in the next.
 */
export function opensAt(salt: string, name: string, startedAt: number, durationMs: number): number {
  const place = parseInt(orderKey(salt, name).slice(0, DIGITS), 16) / 16 ** DIGITS;
  return startedAt + Math.floor(place * durationMs);
}
