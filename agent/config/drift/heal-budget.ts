/** So often a path is healed within an hour. Who changes it more often than that means it. */
export const HEALS_PER_HOUR = 5;
const HOUR_MS = 3_600_000;

/** What is remembered of a path, in times of a monotonic clock. */
export interface HealHistory {
  /** Within the last hour. */
  heals: readonly number[];
  /** Since when others keep changing it; healing has stopped. */
  fightingSince?: number | undefined;
  /** When it was last found different. */
  lastDrift: number;
}

/**
 * Whether a path that was found different is healed once more. Two that undo each other's work are noticed by how
 * often; then healing stops until the other side has left the path alone for an hour, or something else is wanted.
 */
export function decideHeal(
  history: HealHistory | undefined,
  nowMs: number,
): { heal: boolean; history: HealHistory } {
  const heals = (history?.heals ?? []).filter((at) => at > nowMs - HOUR_MS);
  if (history?.fightingSince !== undefined) {
    return { heal: false, history: { ...history, heals, lastDrift: nowMs } };
  }
  if (heals.length >= HEALS_PER_HOUR)
    return { heal: false, history: { heals, fightingSince: nowMs, lastDrift: nowMs } };
  return { heal: true, history: { heals: [...heals, nowMs], lastDrift: nowMs } };
}

/** What is remembered of a path that was found as it should be. */
export function afterPeace(history: HealHistory, nowMs: number): HealHistory | undefined {
  if (history.lastDrift <= nowMs - HOUR_MS) return undefined;
  return history;
}
