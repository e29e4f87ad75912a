import type { ConfigReason } from '#api/reasons.ts';
import { Settling } from '#operators/rollout/settling.ts';

/**
 * How long a reason must have lasted before it is written down, in ms. Reasons that come and go by themselves within
 * moments would cost two writes a node for nothing; all others are written at once. Under a minute for each: what
 * NodeState tells is never older than that (invariant 21).
 */
const SETTLES_AFTER_MS: Partial<Record<ConfigReason, number>> = {
  WaitingForWave: 20_000,
  Soaking: 20_000,
  MaxApplying: 20_000,
  WaitingForPlan: 20_000,
  // A node that boots, or whose agent starts, is silent for a while.
  AgentSilent: 45_000,
  // A Secret is often deleted and made again.
  SecretMissing: 5000,
};

export function newSettling(): Settling<ConfigReason> {
  return new Settling<ConfigReason>(SETTLES_AFTER_MS);
}
