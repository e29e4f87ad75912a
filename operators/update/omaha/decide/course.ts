import type { Verdict } from '#api/reasons.ts';
import { isOfTheCheck, type ErrorCode } from '../protocol/error-code.ts';
import type { Decision, HistoryEntry, Limit, Limits } from '../store/decision.ts';
import type { Grant, Hold, Machine, Phase, VersionFailure } from '../store/machine.ts';
import { vanished } from '../store/vanished.ts';

/**
 * A machine on its way through one request: how it stands after what was told so far, and the decision that makes
 * it so. One failure at most comes of a request; the last one counts.
 */
export class Course {
  readonly #now: number;
  readonly #history: HistoryEntry[] = [];
  #machine: Machine;
  #decision: Decision = {};
  #hasCompleted = false;

  constructor(machine: Machine, now: number) {
    this.#machine = machine;
    this.#now = now;
  }

  get machine(): Machine {
    return this.#machine;
  }

  /** Whether the update came to its good end with this request. */
  get hasCompleted(): boolean {
    return this.#hasCompleted;
  }

  get decision(): Decision {
    return this.#history.length === 0 ? this.#decision : { ...this.#decision, history: this.#history };
  }

  /** The update goes on. A machine that was given none has nothing to go on with. */
  progress(phase: Phase, deadline: number): void {
    const { grant } = this.#machine;
    if (grant === undefined) return;
    if (this.#machine.phase !== phase) this.note(phase, `works on ${grant.version}`, grant.version);
    this.#phase(phase);
    this.extend(deadline);
  }

  extend(deadline: number): void {
    const { grant } = this.#machine;
    if (grant === undefined) return;
    this.#machine = { ...this.#machine, grant: { ...grant, deadline } };
    this.#decision = { ...this.#decision, grant: { ...grant, deadline, limits: { inProgress: Infinity } } };
  }

  /** The client has forgotten what it was at; it may begin again. */
  restarted(): void {
    if (this.#machine.grant === undefined || this.#machine.phase === 'Granted') return;
    this.note('Restarted', 'the client was restarted in the midst of an update', this.#machine.grant.version);
    this.#phase('Granted');
  }

  complete(): void {
    const { grant } = this.#machine;
    if (grant === undefined) return;
    this.note('Complete', `runs ${grant.version}`, grant.version);
    this.release('Complete');
    this.#hasCompleted = true;
    this.#machine = { ...this.#machine, error: undefined, hold: undefined };
    this.#decision = { ...this.#decision, error: null, hold: null };
  }

  /**
   * An attempt failed. Without a grant there is none that could: what the client tells then is of no account. An error of
   * the check itself gives the place back, but is not held against the release.
   */
  failed(error: ErrorCode, words: string): void {
    const { grant } = this.#machine;
    if (grant === undefined) return;
    if (isOfTheCheck(error)) this.#report(error);
    else this.#fail({ version: grant.version, code: error.code, kind: 'install' }, error);
    this.note('Failed', `${grant.version} failed: ${words}`, grant.version, error.code);
    this.release('Failed');
  }

  /** The version was booted and the machine went back. It may be told long after the place was given up. */
  rolledBack(error: ErrorCode, words: string): void {
    const version = this.#machine.grant?.version ?? this.#lost();
    if (version === undefined) return;
    this.#fail({ version, code: error.code, kind: 'rollback' }, error);
    this.note('RolledBack', `${version} was booted and left again: ${words}`, version, error.code);
    this.release('RolledBack');
  }

  /** The deadline of the grant has passed and nothing of what was told changed that. */
  expire(): void {
    const { grant } = this.#machine;
    if (grant === undefined || grant.deadline > this.#now) return;
    const { history = [], failure } = vanished(this.#machine);
    this.#history.push(...history);
    if (failure !== undefined) this.#fail(failure);
    this.release('Failed');
  }

  /** Gives the place back. */
  release(phase: Phase): void {
    const { grant: _, ...rest } = this.#decision;
    this.#decision = { ...rest, release: true };
    this.#machine = { ...this.#machine, grant: undefined };
    this.#phase(phase);
  }

  /** Makes it wait; a machine that failed is seen to have failed while it does. */
  hold(reason: string, message: string): void {
    const before = this.#machine.hold;
    const isEnd = this.#machine.phase === 'Failed' || this.#machine.phase === 'RolledBack';
    if (this.#machine.grant === undefined && !isEnd) this.#phase('Waiting');
    if (before?.reason === reason && before.message === message) return;
    const hold: Hold = { reason, message, since: before?.reason === reason ? before.since : this.#now };
    this.#decision = { ...this.#decision, hold };
    this.#machine = { ...this.#machine, hold };
  }

  /** Nothing keeps it, and it needs nothing. */
  rest(): void {
    if (this.#machine.phase !== 'Complete') this.#phase('Idle');
    if (this.#machine.hold !== undefined) this.#decision = { ...this.#decision, hold: null };
    this.#machine = { ...this.#machine, hold: undefined };
  }

  stands(rollout: NonNullable<Machine['rollout']>): void {
    const before = this.#machine.rollout;
    const isSame =
      before?.target === rollout.target && before.wave === rollout.wave && before.outcome === rollout.outcome;
    if (isSame && this.#decision.rollout === undefined) return;
    this.#decision = { ...this.#decision, rollout };
    this.#machine = { ...this.#machine, rollout };
  }

  /** Asks for a place; `full` tells why there is none. */
  ask(grant: Omit<Grant, 'at'>, limits: Limits, full: (limit: Limit) => Verdict): void {
    const before = this.#machine.hold;
    const history = [...this.#history];
    this.note('Granted', `is given ${grant.version}`, grant.version);
    this.#decision = {
      ...this.#decision,
      phase: 'Granted',
      hold: null,
      grant: { ...grant, limits },
      full: (limit) => {
        const { reason, message } = full(limit);
        return {
          hold: { reason, message, since: before?.reason === reason ? before.since : this.#now },
          history,
        };
      },
    };
  }

  note(kind: string, message: string, version?: string, code?: number): void {
    this.#history.push({ kind, message, version, code });
  }

  #phase(phase: Phase): void {
    if (this.#machine.phase === phase && this.#decision.phase === undefined) return;
    this.#machine = { ...this.#machine, phase };
    this.#decision = { ...this.#decision, phase };
  }

  #fail(failure: NonNullable<Decision['failure']>, error?: ErrorCode): void {
    const before = this.#machine.failures.find(({ version }) => version === failure.version);
    const kind = before?.kind === 'rollback' ? 'rollback' : failure.kind;
    const counted: VersionFailure = { ...failure, kind, times: (before?.times ?? 0) + 1, at: this.#now };
    const others = this.#machine.failures.filter(({ version }) => version !== failure.version);
    if (error !== undefined) this.#report(error);
    this.#machine = { ...this.#machine, failures: [counted, ...others] };
    this.#decision = { ...this.#decision, failure };
  }

  #report({ code, flags }: ErrorCode): void {
    const error = { code, flags, at: this.#now };
    this.#machine = { ...this.#machine, error };
    this.#decision = { ...this.#decision, error };
  }

  /** The version with which the machine had vanished. */
  #lost(): string | undefined {
    const [last] = this.#machine.failures;
    return this.#machine.phase === 'Failed' && last?.kind === 'vanished' ? last.version : undefined;
  }
}
