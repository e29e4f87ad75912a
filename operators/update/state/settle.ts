import type { RolloutReason } from '#api/reasons.ts';
import { Settling } from '#operators/rollout/settling.ts';

/**
 * How long a reason must have lasted before it is written down, in ms. Reasons that come and go by themselves
 * within moments would cost two writes a node for nothing; all others are written at once. Under a minute for
 * each: what NodeState tells is never older than that (invariant 21).
 */
const SETTLES_AFTER_MS: Partial<Record<RolloutReason, number>> = {
  WaitingForWave: 20_000,
  Soaking: 20_000,
  MaxStaging: 20_000,
  // An agent that starts, and a node that boots, are silent for a while. A reboot of ours is not meant: what is
  // past the point of no return is not asked after.
  AgentSilent: 45_000,
  // An agent tries again by itself, with waits of up to some seconds at first.
  AgentFaulty: 20_000,
};

export function newSettling(): Settling<RolloutReason> {
  return new Settling<RolloutReason>(SETTLES_AFTER_MS);
}
