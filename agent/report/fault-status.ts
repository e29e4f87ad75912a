import type { NodeStateStatus, Phase, UpdateStatus } from '#api/node-state.ts';
import type { HostFacts } from '../boot/host.ts';

export interface FaultInput {
  host: HostFacts;
  agentVersion: string;
  reported: NodeStateStatus | undefined;
  /** What is asked of the node: a rollout counts the fault only by version and attempt. */
  wanted: { version: string; attempt: number } | undefined;
  fault: NonNullable<UpdateStatus['error']>;
  /** When it began, ms since 1970. */
  faultSince: number;
}

/** Phases that hold the node's place in its locks: a fault does not end them, for nobody knows what became of them. */
const UNDERWAY: readonly Phase[] = ['Arming', 'Rebooting', 'Verifying'];

/**
 * What is said while the agent cannot read its record or its disk, or cannot do what it must: what was known
 * before stays, no reboot is asked for, and the error says what to do.
 */
export function faultStatus({
  host,
  agentVersion,
  reported,
  fault,
  faultSince,
  wanted,
}: FaultInput): NodeStateStatus {
  const { reboot, lastReport, update: before, ...kept } = reported ?? {};
  void reboot;
  void lastReport;
  const { bootID, os, machineID } = host;
  return {
    ...kept,
    bootID,
    ...(machineID === undefined ? {} : { machineID }),
    os,
    agentVersion,
    update: updateOf(before, os.version, wanted, fault, new Date(faultSince).toISOString()),
  };
}

function updateOf(
  before: UpdateStatus | undefined,
  runs: string,
  wanted: FaultInput['wanted'],
  error: FaultInput['fault'],
  began: string,
): UpdateStatus {
  if (before !== undefined && UNDERWAY.includes(before.phase)) return { ...before, error };
  const about = wanted === undefined || wanted.version === runs ? {} : { ...wanted, from: runs };
  const same = before?.phase === 'Failed' && before.error?.code === error.code;
  return { phase: 'Failed', ...about, error, since: same ? before.since : began };
}
