import type { NodeStateSpec, NodeStateStatus } from '#api/node-state.ts';
import { ConfigError } from '../config-error.ts';
import { apply } from './apply.ts';
import { changeMeta } from './change-meta.ts';
import type { ChangeMeta } from './change-meta.ts';
import { ChangeUnderWay } from './change-under-way.ts';
import type { ConfigFailure } from './config-record.ts';
import { Drafting } from './drafting.ts';
import type { ConfigWish } from './drafting.ts';
import { wantedHash } from './facts.ts';
import type { ConfigFacts } from './facts.ts';
import { configFailureOf } from './failure.ts';
import { KeptRecord } from './kept-record.ts';
import { nextConfigStep } from './next-step.ts';
import type { ConfigParts } from './parts.ts';
import { reportOf } from './report.ts';
import type { ConfigReport } from './report.ts';
import type { ConfigStep } from './step.ts';

/** What the agent knows besides, at one turn. */
export interface Surroundings {
  bootID: string;
  /** Undefined: not heard of, or not understood. */
  spec: NodeStateSpec | undefined;
  update: ConfigFacts['update'];
  updateStaged: boolean;
  /** Takes a grant by a conditional write; false: look again. */
  accept(grantID: string): Promise<NonNullable<NodeStateStatus['reboot']> | undefined>;
}

export interface Turn {
  /** Something was done: look again, and say so. */
  did: boolean;
  /** Milliseconds until the next turn, if nothing happens before. */
  waitMs: number;
}

/**
 * The configuration's part of the agent: one step a turn. Everything that matters is on the disk, in the journal of
 * the files and in a record; what is only here is made again after a restart.
 */
export class ConfigLife {
  readonly #parts: ConfigParts;
  readonly #record: KeptRecord;
  readonly #drafting: Drafting;
  #applied: ChangeMeta | undefined;
  #change: ChangeUnderWay | undefined;
  #ready = false;
  #unsupported: string | undefined;
  #facts: ConfigFacts | undefined;
  #said = '';

  constructor(parts: ConfigParts) {
    this.#parts = parts;
    this.#record = new KeptRecord(parts.records);
    this.#drafting = new Drafting(parts);
  }

  /** What there is to say; undefined before the first turn. */
  report(): ConfigReport | undefined {
    return this.#facts && reportOf(this.#facts, this.#drafting.draft, this.#parts.guard.drift);
  }

  async turn(around: Surroundings, signal: AbortSignal): Promise<Turn> {
    await this.#open();
    const facts = this.#look(around);
    const step = nextConfigStep(facts);
    this.#say(step);
    const waitMs = step.do === 'idle' ? (step.waitMs ?? Infinity) : step.do === 'probe' ? step.waitMs : 0;
    if (step.do !== 'idle') await this.#carryOut(step, around, signal);
    this.#look(around);
    return { did: step.do !== 'idle' && step.do !== 'probe', waitMs };
  }

  /** Nothing is looked after any more; a change that is under way stays as it is, for the next agent. */
  async stop(): Promise<void> {
    await this.#parts.guard.stop();
  }

  /** Once, and again after an error: what was left is on the disk. */
  async #open(): Promise<void> {
    if (this.#ready) return;
    await this.#record.read();
    this.#unsupported = await this.#parts.unsupported();
    await this.#recover();
    if (this.#change === undefined) await this.#parts.confirmation.disarm();
    await this.#refresh();
    if (this.#change === undefined) void this.#parts.guard.start();
    this.#ready = true;
  }

  async #recover(): Promise<void> {
    const { transaction, rolledBack } = await this.#parts.files.recover();
    this.#change = transaction && new ChangeUnderWay(transaction, this.#record, this.#parts);
    if (rolledBack !== undefined)
      this.#parts.agent.log.info('config: a change that was not begun is taken back');
  }

  async #refresh(): Promise<void> {
    const { meta } = await this.#parts.files.applied();
    const parsed = changeMeta.safeParse(meta);
    this.#applied = parsed.success ? parsed.data : undefined;
  }

  #look({ bootID, spec, update, updateStaged }: Surroundings): ConfigFacts {
    const { now, monotonicMs } = this.#parts.agent;
    const facts: ConfigFacts = {
      now: now(),
      monotonicMs: monotonicMs(),
      bootID,
      wanted: spec === undefined ? undefined : (spec.config ?? {}),
      grant: spec?.reboot?.grant,
      update,
      updateStaged,
      record: this.#record.value,
      applied: this.#applied,
      unsupported: this.#unsupported,
      ...this.#drafting.facts(),
      ...(this.#change?.facts() ?? { changing: undefined, probing: undefined, rebootAskedAt: undefined }),
    };
    this.#facts = facts;
    return facts;
  }

  async #carryOut(step: ConfigStep, around: Surroundings, signal: AbortSignal): Promise<void> {
    const change = this.#change!;
    switch (step.do) {
      case 'idle':
        return;
      case 'draft':
        return this.#draft(signal);
      case 'refuse':
        return this.#fail(step.error);
      case 'request':
        return this.#record.save({ request: step.request });
      case 'withdraw':
        return this.#record.save({ request: undefined });
      case 'accept':
        return this.#accept(step.grant.id, around);
      case 'apply':
        return this.#apply(around, signal);
      case 'act':
        return change.act(signal);
      case 'reboot':
        return change.reboot();
      case 'probe':
        return change.probe(around.bootID, signal);
      case 'keep':
        if (await change.keep()) await this.#over();
        return;
      case 'revert':
        return change.revert(step.error);
      case 'conclude':
        await change.conclude(signal);
        return this.#over();
    }
  }

  async #draft(signal: AbortSignal): Promise<void> {
    const failure = await this.#drafting.make(this.#wish(), this.#record.value, signal);
    if (failure !== undefined) await this.#fail(failure);
  }

  /** Nothing was changed, and it is not tried again by itself. */
  async #fail(error: ConfigFailure): Promise<void> {
    const { hash, generation } = this.#wish();
    this.#parts.agent.log.warn('config: failed', { hash, ...error });
    const at = new Date(this.#parts.agent.now()).toISOString();
    await this.#record.save({ last: { hash, generation, phase: 'Failed', error, at }, request: undefined });
  }

  async #accept(grantID: string, around: Surroundings): Promise<void> {
    const told = await around.accept(grantID);
    const { grant } = this.#facts ?? {};
    if (told === undefined || grant?.id !== grantID) return;
    const { kind = 'Reboot', reasons, since } = told;
    const { bootID, mode } = grant;
    await this.#record.save({ accepted: { id: grantID, bootID, mode, request: { kind, reasons, since } } });
  }

  async #apply(around: Surroundings, signal: AbortSignal): Promise<void> {
    const { guard } = this.#parts;
    await guard.stop();
    try {
      await this.#begin(around, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof ConfigError)) throw error;
      // What went wrong half-way was put back, or lies in the journal.
      await this.#recover();
      if (this.#change === undefined) await this.#fail(configFailureOf(error));
    } finally {
      if (this.#change === undefined) void guard.start();
    }
  }

  async #begin({ bootID, updateStaged: withUpdate }: Surroundings, signal: AbortSignal): Promise<void> {
    // The disk may have changed since it was planned.
    const drafted = await this.#drafting.renew(this.#record.value);
    if (drafted === undefined) return;
    const { rendered } = this.#facts?.wanted ?? {};
    const known = { applied: this.#applied, record: this.#record.value, bootID, withUpdate };
    const transaction = await apply({ ...drafted, rendered, ...known }, this.#parts, signal);
    this.#change = new ChangeUnderWay(transaction, this.#record, this.#parts);
    this.#parts.agent.log.info('config: changed', { hash: drafted.hash, transaction: transaction.id });
  }

  async #over(): Promise<void> {
    this.#change = undefined;
    this.#drafting.forget();
    await this.#refresh();
    this.#parts.guard.forget();
    void this.#parts.guard.start();
  }

  #wish(): ConfigWish {
    const wanted = this.#facts?.wanted;
    return { hash: wantedHash({ wanted }), generation: wanted?.generation ?? this.#record.value.highest };
  }

  #say(step: ConfigStep): void {
    const said = step.do === 'idle' ? `config: ${step.why}` : `config: ${step.do}`;
    if (said !== this.#said && step.do !== 'probe') this.#parts.agent.log.info(said);
    this.#said = said;
  }
}
