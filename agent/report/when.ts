import type { NodeStateStatus, Phase } from '#api/node-state.ts';

/** Phases that often end before anybody could read of them; they are written once they last. */
const FLEETING: readonly Phase[] = ['Staging', 'Arming', 'Rebooting', 'Verifying'];
const FLEETING_MS = 1000;
const PROGRESS_MS = 5000;
/** A machine on its way down has nothing to tell unless it stays up: its next boot will say more. */
const GOING_DOWN_MS = 30_000;

export interface WhenInput {
  patch: Record<string, unknown>;
  desired: NodeStateStatus;
  reported: NodeStateStatus | undefined;
  /** When the agent first meant to write the phase that `desired` is in. */
  phaseSince: number;
  lastWriteAt: number;
}

/** When a change is to be written, by the reporter's clock: news at once, a fleeting phase once it lasts, progress now and then. */
export function whenToWrite({ patch, desired, reported, phaseSince, lastWriteAt }: WhenInput): number {
  const phase = desired.update?.phase;
  const isNew = reported?.update?.phase !== phase;
  if (isNew && phase !== undefined && FLEETING.includes(phase)) return phaseSince + FLEETING_MS;
  if (phase === 'Rebooting' && !isNew) return phaseSince + GOING_DOWN_MS;
  return isOnlyProgress(patch) ? lastWriteAt + PROGRESS_MS : Number.NEGATIVE_INFINITY;
}

function isOnlyProgress(patch: Record<string, unknown>): boolean {
  const { update, ...others } = patch;
  if (Object.keys(others).length > 0 || typeof update !== 'object' || update === null) return false;
  return Object.keys(update).every((key) => key === 'progress');
}
