import type { Decision, HistoryEntry, Limit, WantedGrant } from '../decision.ts';
import {
  MOST_FAILURES,
  PHASES_IN_PROGRESS,
  type Grant,
  type Machine,
  type Phase,
  type VersionFailure,
} from '../machine.ts';

/** A machine after a decision. */
export interface Settled {
  machine: Machine;
  full: Limit | undefined;
  /** A place was given, or the one that was held got another version. */
  started: boolean;
  history: readonly HistoryEntry[];
}

/** Asks for room for a new grant: the limit that leaves none, or undefined. */
export type AskRoom = (wanted: WantedGrant, holds: boolean) => Limit | undefined;

const IN_PROGRESS: ReadonlySet<Phase> = new Set(PHASES_IN_PROGRESS);

/**
 * What a decision makes of a machine. `heldIn` is the group in which its grant was counted so far: in another
 * one it holds no place yet. A place goes with the phases in progress: a phase that is none gives it back.
 */
export function settle(
  machine: Machine,
  heldIn: string,
  decision: Decision,
  now: number,
  room: AskRoom,
): Settled {
  const isReleased =
    decision.release === true || (decision.phase !== undefined && !IN_PROGRESS.has(decision.phase));
  const held = isReleased ? undefined : machine.grant;
  const { grant, started, full } = granted(held, heldIn === machine.group, decision.grant, now, room);
  const refusal = full === undefined ? undefined : (decision.full?.(full) ?? plainRefusal(full, now));
  const phase = nextPhase(machine, decision, { grant, started, full: full !== undefined });
  return {
    machine: {
      ...machine,
      grant,
      phase,
      since: phase === machine.phase && !started ? machine.since : now,
      hold: refusal?.hold ?? (started ? (decision.hold ?? undefined) : kept(decision.hold, machine.hold)),
      error: kept(decision.error, machine.error),
      rollout: kept(decision.rollout, machine.rollout),
      failures:
        decision.failure === undefined
          ? machine.failures
          : withFailure(machine.failures, { ...decision.failure, at: now, times: 1 }),
    },
    full,
    started,
    history: refusal === undefined ? (decision.history ?? []) : (refusal.history ?? []),
  };
}

interface Granted {
  grant: Grant | undefined;
  started: boolean;
  full: Limit | undefined;
}

function granted(
  held: Grant | undefined,
  isHere: boolean,
  wanted: WantedGrant | undefined,
  now: number,
  room: AskRoom,
): Granted {
  if (wanted === undefined) return { grant: held, started: false, full: undefined };
  const { version, target, deadline } = wanted;
  const isSame = isHere && held?.version === version;
  if (isSame) return { grant: { version, target, at: held.at, deadline }, started: false, full: undefined };
  const full = room(wanted, isHere && held !== undefined);
  if (full !== undefined) return { grant: undefined, started: false, full };
  return { grant: { version, target, at: now, deadline }, started: true, full };
}

function nextPhase(
  machine: Machine,
  decision: Decision,
  { grant, started, full }: { grant: Grant | undefined; started: boolean; full: boolean },
): Phase {
  if (full) return 'Waiting';
  if (grant !== undefined && decision.grant !== undefined) return grantedPhase(machine, decision, started);
  if (decision.phase !== undefined) return decision.phase;
  const lost = machine.grant !== undefined && grant === undefined;
  if (!lost) return machine.phase;
  return kept(decision.hold, machine.hold) === undefined ? 'Idle' : 'Waiting';
}

/** A machine that is given a place is in progress, whatever else is said of it. */
function grantedPhase(machine: Machine, { phase }: Decision, started: boolean): Phase {
  if (phase !== undefined && IN_PROGRESS.has(phase)) return phase;
  return started || !IN_PROGRESS.has(machine.phase) ? 'Granted' : machine.phase;
}

function plainRefusal(full: Limit, now: number): { hold: NonNullable<Machine['hold']>; history?: undefined } {
  return { hold: { reason: 'NoRoom', message: `the limit ${full} of its group leaves no room`, since: now } };
}

/** Undefined leaves what is there, null clears. */
function kept<T>(said: T | null | undefined, before: T | undefined): T | undefined {
  return said === undefined ? before : (said ?? undefined);
}

function withFailure(failures: readonly VersionFailure[], failure: VersionFailure): VersionFailure[] {
  const before = failures.find(({ version }) => version === failure.version);
  const others = failures.filter(({ version }) => version !== failure.version);
  const kind = before?.kind === 'rollback' ? 'rollback' : failure.kind;
  const times = (before?.times ?? 0) + 1;
  return [{ ...failure, kind, times }, ...others].slice(0, MOST_FAILURES);
}
