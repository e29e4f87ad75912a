import { isKubeError } from '#runtime/client/error.ts';

/** What an answer to an eviction means. */
export type Answer =
  | { gone: true }
  /** Why it stays, for people; try again after so many milliseconds, at first `soon`er. */
  | { blocked: string; retryMs: number; soon: boolean };

/** kubectl's wait between two attempts. The API server sends no Retry-After when a budget is simply at 0. */
const BACK_OFF_MS = 5_000;
/** An answer that a new attempt will hardly change; it is still tried, since a person may change it. */
const SLOW_MS = 30_000;

/** Reads the failure of an eviction; anything that is not an answer about the pod is thrown on. */
export function readRefusal(error: unknown): Answer {
  if (!isKubeError(error)) throw error;
  const { code, status, causes, message, retryAfterMs } = error;
  if (code === 'NotFound') return { gone: true };
  // The UID precondition failed: another pod has the name now, perhaps on another node.
  if (code === 'Conflict') return { gone: true };
  const budget = causes.find(({ reason }) => reason === 'DisruptionBudget')?.message;
  // A budget at 0 is often free again a moment later, when the last pod's replacement is Ready.
  const soon = status === 429 && retryAfterMs === undefined;
  if (status === 429) return { blocked: budgetWords(budget), retryMs: retryAfterMs ?? BACK_OFF_MS, soon };
  if (code === 'Forbidden' && causes.some(({ reason }) => reason === 'NamespaceTerminating')) {
    return { blocked: 'its namespace is being deleted', retryMs: BACK_OFF_MS, soon };
  }
  if (code === 'Timeout')
    return { blocked: 'the API server did not answer in time', retryMs: BACK_OFF_MS, soon };
  if (status >= 400) return { blocked: message.slice(0, 300), retryMs: retryAfterMs ?? SLOW_MS, soon };
  throw error;
}

function budgetWords(message: string | undefined): string {
  const parts = /^The disruption budget (\S+) (.*)$/s.exec(message ?? '');
  return parts
    ? `PodDisruptionBudget ${parts[1]} ${parts[2]}`
    : 'its PodDisruptionBudget allows no disruption now';
}
