import type { UpdateErrorCode, UpdateStatus } from '#api/node-state.ts';
import type { NodeFacts } from './facts.ts';
import { runningVersion } from './facts.ts';

const BEYOND_RETURN = new Set(['Arming', 'Rebooting', 'Verifying']);
const STAGED_OR_LATER = new Set([...BEYOND_RETURN, 'Staged', 'Succeeded', 'Failed', 'RolledBack']);

/**
 * Whether the node has accepted a reboot grant and has not come to an end yet. Nothing that is withdrawn now
 * could stop it, so nothing is: its verdict is waited for.
 */
export function isBeyondReturn(node: NodeFacts): boolean {
  return BEYOND_RETURN.has(node.status?.update?.phase ?? 'Idle');
}

/** Whether the node is asked to fetch this version. Without a payload the version only names what runs. */
export function isOffered(node: NodeFacts, version: string): boolean {
  return node.wanted.version === version && node.wanted.payload !== undefined;
}

/** Whether the node is asked for something that it neither runs nor failed. */
export function isOnItsWay(node: NodeFacts): boolean {
  const { version } = node.wanted;
  return (
    version !== undefined &&
    isOffered(node, version) &&
    runningVersion(node) !== version &&
    failureOf(node, version) === undefined
  );
}

/** Whether the node downloads or writes, or is about to: offered, and neither staged nor at an end. */
export function isStaging(node: NodeFacts): boolean {
  const { version, attempt = 1 } = node.wanted;
  return version !== undefined && isOffered(node, version) && wouldStage(node, version, attempt);
}

/** Whether a node that is given this offer has to stage it. One that has it staged still has not. */
export function wouldStage(node: NodeFacts, version: string, attempt: number): boolean {
  if (runningVersion(node) === version) return false;
  const update = node.status?.update;
  const isOfThisOffer = update?.version === version && (update.attempt ?? 1) >= attempt;
  return !(isOfThisOffer && STAGED_OR_LATER.has(update.phase));
}

/** How a version failed on a node. */
export interface Failure {
  /** `staging`: it could not be written or armed. `boot`: it was booted and the node went back. */
  at: 'staging' | 'boot';
  /** The last attempt that failed. */
  attempt: number;
  /** How often the version failed in this way. */
  times: number;
  /** When, in ms since the epoch. */
  since: number;
  /** The agent's word for it, if it has said one. */
  code: UpdateErrorCode | undefined;
}

/** What of a failure is reported in one place. */
type Report = Pick<Failure, 'attempt' | 'since' | 'code'>;

/** The failure that stands, or undefined when the version did not fail or a later attempt is under way. */
export function failureOf(node: NodeFacts, version: string): Failure | undefined {
  const failure = bootFailure(node, version) ?? stagingFailure(node, version);
  const offered = isOffered(node, version) ? (node.wanted.attempt ?? 1) : 0;
  return failure !== undefined && offered > failure.attempt ? undefined : failure;
}

/**
 * The fault that keeps the agent from working at all, such as a disk that cannot be written. It reports it as
 * `Failed` like an attempt that failed; but an attempt's end is in the history, and a fault ends none.
 */
export function agentFault({ status }: NodeFacts): UpdateStatus['error'] {
  const update = status?.update;
  if (update?.phase !== 'Failed' || update.error === undefined) return undefined;
  const isEnd = (status?.history ?? []).some(
    ({ result, finishedAt, error }) =>
      result === 'Failed' && finishedAt === update.since && error?.code === update.error?.code,
  );
  return isEnd ? undefined : update.error;
}

/** The attempt to offer next: one above whatever failed before, so that the agent can tell the two apart. */
export function nextAttempt(node: NodeFacts, version: string): number {
  return Math.max(quarantineOf(node, version)?.attempt ?? 0, stagingFailure(node, version)?.attempt ?? 0) + 1;
}

function bootFailure(node: NodeFacts, version: string): Failure | undefined {
  const entry = quarantineOf(node, version);
  const update = node.status?.update;
  // A staging failure of a later attempt came after the quarantine and is what counts now.
  if (
    update?.phase === 'Failed' &&
    update.version === version &&
    (update.attempt ?? 1) > (entry?.attempt ?? 0) &&
    agentFault(node) === undefined
  ) {
    return undefined;
  }
  if (entry === undefined) return undefined;
  return { at: 'boot', ...entry, times: Math.max(1, timesInHistory(node, version, 'RolledBack')) };
}

/** The node's quarantine of the version. A node that says RolledBack is taken at its word without an entry. */
function quarantineOf(node: NodeFacts, version: string): Report | undefined {
  const entry = node.status?.quarantine?.find((one) => one.version === version);
  const update = node.status?.update;
  const rolledBack = update?.phase === 'RolledBack' && update.version === version ? update : undefined;
  if (entry === undefined && rolledBack === undefined) return undefined;
  const since = rolledBack?.since ?? entry?.since ?? '';
  const attempt = Math.max(1, entry?.attempt ?? 0, rolledBack?.attempt ?? 0);
  return { attempt, since: Date.parse(since), code: entry?.reason ?? rolledBack?.error?.code };
}

function stagingFailure(node: NodeFacts, version: string): Failure | undefined {
  const failed = failedReport(node, version);
  if (failed === undefined) return undefined;
  // Attempts that ended in a boot are not failures to stage.
  const booted = node.status?.quarantine?.find((one) => one.version === version)?.attempt ?? 0;
  return { at: 'staging', ...failed, times: Math.max(1, failed.attempt - booted) };
}

/** The report of a failure to stage. The history tells it still when the agent has gone back to Idle since. */
function failedReport(node: NodeFacts, version: string): Report | undefined {
  const update = node.status?.update;
  if (update?.phase === 'Failed' && update.version === version && agentFault(node) === undefined) {
    const attempt = Math.max(1, update.attempt ?? 1);
    return { attempt, since: Date.parse(update.since), code: update.error?.code };
  }
  const last = node.status?.history?.[0];
  if (last?.result !== 'Failed' || last.version !== version || (update?.phase ?? 'Idle') !== 'Idle')
    return undefined;
  const attempt = timesInHistory(node, version, 'Failed');
  return { attempt, since: Date.parse(last.finishedAt), code: last.error?.code };
}

function timesInHistory(node: NodeFacts, version: string, result: 'RolledBack' | 'Failed'): number {
  return (node.status?.history ?? []).filter((one) => one.version === version && one.result === result)
    .length;
}
