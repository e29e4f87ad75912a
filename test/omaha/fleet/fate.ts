import { exitCodes } from '../wire/exit-code.ts';
import type { Random } from '../client/random.ts';

/**
 * What becomes of an attempt to install a version. `installed`: it runs afterwards. `install-fails`: the other slot
 * cannot be finished (3/0, code 5). `falls-back`: it does not boot and the boot loader goes back (3/0, code 44).
 * `restarts`: the machine restarts in the middle. `vanishes`: it goes down and is never heard of again.
 */
export type Fate = 'installed' | 'install-fails' | 'falls-back' | 'restarts' | 'vanishes';

/** How machines fare. Shares are from 0 to 1, of all attempts. */
export interface Fortunes {
  failureRate: number;
  fallbackRate: number;
  restartRate: number;
  vanishRate: number;
  /** Versions that boot on no machine. */
  badVersions: readonly string[];
}

/** Nothing ever goes wrong. */
export const goodFortune: Fortunes = {
  failureRate: 0,
  fallbackRate: 0,
  restartRate: 0,
  vanishRate: 0,
  badVersions: [],
};

/** Draws the fate of one attempt. */
export function fateOf(fortunes: Fortunes, version: string, random: Random): Fate {
  const drawn = random();
  const { failureRate, restartRate, vanishRate, fallbackRate } = fortunes;
  if (drawn < failureRate) return 'install-fails';
  if (drawn < failureRate + restartRate) return 'restarts';
  if (drawn < failureRate + restartRate + vanishRate) return 'vanishes';
  if (fortunes.badVersions.includes(version)) return 'falls-back';
  return drawn < failureRate + restartRate + vanishRate + fallbackRate ? 'falls-back' : 'installed';
}

/** The code with which an install ends under this fate. */
export function installCode(fate: Fate): number {
  return fate === 'install-fails' ? exitCodes.PostinstallRunnerError : exitCodes.Success;
}
