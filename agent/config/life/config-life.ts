import type { NodeStateSpec, NodeStateStatus } from '#api/node-state.ts';
import { ConfigError } from '../config-error.ts';
import type { Transaction } from '../transaction/contract.ts';
import { apply } from './apply.ts';
import { changeMeta } from './change-meta.ts';
import type { ChangeMeta } from './change-meta.ts';
import type { ConfigFailure, ConfigRecord } from './config-record.ts';
import { probed } from './confirming.ts';
import type { Probing } from './confirming.ts';
import type { Draft } from './draft.ts';
import { wantedHash } from './facts.ts';
import type { ConfigFacts } from './facts.ts';
import { configFailureOf, isPassing } from './failure.ts';
import { act, failedStep, metaOf, pendingStep, probe, undoActions } from './follow.ts';
import { makeDraft, NOTHING } from './make-draft.ts';
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

const FIRST_RETRY_MS = 2000;
const LONGEST_RETRY_MS = 5 * 60_000;

interface Drafted {
  hash: string;
  generation: number;
  draft: Draft;
}

/**
 * The configuration's part of the agent: one step a turn. Everything that matters is on the disk, in the journal of
 * the files and in a record; what is only here is made again after a restart.
 */
export class ConfigLife {
  readonly #parts: ConfigParts;
  #record: ConfigRecord | undefined;
  #applied: ChangeMeta | undefined;
  #transaction: Transaction | undefined;
  #ready = false;
  #draft: Drafted | undefined;
  #trouble: ConfigFacts['trouble'];
  #troubles = 0;
  #probing: Probing | undefined;
  #rebootAskedAt: number | undefined;
  #unsupported: string | undefined;
  #facts: ConfigFacts | undefined;
  #said = '';

  constructor(parts: ConfigParts) {
    this.#parts = parts;
  }

  /** What there is to say; undefined before the first turn. */
  report(): ConfigReport | undefined {
    return this.#facts && reportOf(this.#facts, this.#draft?.draft, this.#parts.guard.drift);
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
    const { files, records, confirmation, guard } = this.#parts;
    if (this.#ready) return;
    this.#record = await records.read();
    this.#unsupported = await this.#parts.unsupported();
    const { transaction, rolledBack } = await files.recover();
    this.#transaction = transaction;
    if (rolledBack !== undefined)
      this.#parts.agent.log.info('config: a change that was not begun is taken back');
    if (transaction === undefined) await confirmation.disarm();
    await this.#refresh();
    if (transaction === undefined) void guard.start();
    this.#ready = true;
  }

  async #refresh(): Promise<void> {
    const { meta } = await this.#parts.files.applied();
    const parsed = changeMeta.safeParse(meta);
    this.#applied = parsed.success ? parsed.data : undefined;
  }

  #look({ bootID, spec, update, updateStaged }: Surroundings): ConfigFacts {
    const { now, monotonicMs } = this.#parts.agent;
    const transaction = this.#transaction;
    const draft = this.#draft;
    const facts: ConfigFacts = {
      now: now(),
      monotonicMs: monotonicMs(),
      bootID,
      wanted: spec === undefined ? undefined : (spec.config ?? {}),
      grant: spec?.reboot?.grant,
      update,
      updateStaged,
      record: this.#record!,
      applied: this.#applied,
      changing: transaction && {
        id: transaction.id,
        stage: transaction.stage,
        meta: metaOf(transaction),
        undoneByHost: transaction.undoneByHost,
        acted: pendingStep(transaction) === undefined,
        failed: failedStep(transaction),
      },
      draft: draft && { hash: draft.hash, generation: draft.generation, needs: draft.draft.needs },
      trouble: this.#trouble,
      probing: this.#probing,
      rebootAskedAt: this.#rebootAskedAt,
      unsupported: this.#unsupported,
    };
    this.#facts = facts;
    return facts;
  }

  async #carryOut(step: ConfigStep, around: Surroundings, signal: AbortSignal): Promise<void> {
    switch (step.do) {
      case 'idle':
        return;
      case 'draft':
        return this.#plan(signal);
      case 'refuse':
        return this.#fail(step.error);
      case 'request':
        return this.#save({ request: step.request });
      case 'withdraw':
        return this.#save({ request: undefined });
      case 'accept':
        return this.#accept(step.grant.id, around);
      case 'apply':
        return this.#apply(around, signal);
      case 'act':
        return act(this.#transaction!, this.#parts, signal);
      case 'reboot':
        await this.#parts.host.reboot();
        this.#rebootAskedAt = this.#parts.agent.monotonicMs();
        return;
      case 'probe':
        return this.#probe(around, signal);
      case 'keep':
        return this.#keep();
      case 'revert':
        return this.#revert(step.error);
      case 'conclude':
        return this.#conclude(signal);
    }
  }

  async #plan(signal: AbortSignal): Promise<void> {
    const { hash, generation } = this.#wish();
    try {
      const document =
        hash === '' ? NOTHING : (await this.#parts.bundle({ hash, generation }, signal)).document;
      const draft = await makeDraft(document, this.#record!, this.#parts);
      this.#draft = { hash, generation, draft };
      this.#trouble = undefined;
      this.#troubles = 0;
    } catch (error) {
      if (signal.aborted || !(error instanceof ConfigError)) throw error;
      const failure = configFailureOf(error);
      if (!isPassing(failure)) return this.#fail(failure);
      this.#parts.agent.log.warn('config: cannot be had yet', { error });
      const retryMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#troubles, 10));
      this.#troubles += 1;
      const retryAt = this.#parts.agent.monotonicMs() + retryMs * (0.5 + Math.random() / 2);
      this.#trouble = { hash, generation, error: failure, retryAt };
    }
  }

  /** Nothing was changed, and it is not tried again by itself. */
  async #fail(error: ConfigFailure): Promise<void> {
    const { hash, generation } = this.#wish();
    this.#parts.agent.log.warn('config: failed', { hash, ...error });
    const at = new Date(this.#parts.agent.now()).toISOString();
    await this.#save({ last: { hash, generation, phase: 'Failed', error, at }, request: undefined });
  }

  async #accept(grantID: string, around: Surroundings): Promise<void> {
    const told = await around.accept(grantID);
    const { grant } = this.#facts ?? {};
    if (told === undefined || grant?.id !== grantID) return;
    const { kind = 'Reboot', reasons, since } = told;
    const { bootID, mode } = grant;
    await this.#save({ accepted: { id: grantID, bootID, mode, request: { kind, reasons, since } } });
  }

  async #apply(around: Surroundings, signal: AbortSignal): Promise<void> {
    const { hash, generation, draft: before } = this.#draft!;
    const { rendered } = this.#facts?.wanted ?? {};
    const { guard, files } = this.#parts;
    await guard.stop();
    try {
      // The disk may have changed since it was planned.
      const draft = await makeDraft(before.document, this.#record!, this.#parts);
      this.#draft = { hash, generation, draft };
      if (draft.needs !== before.needs) return;
      const { bootID, updateStaged: withUpdate } = around;
      const known = { applied: this.#applied, record: this.#record!, bootID, withUpdate };
      this.#transaction = await apply({ draft, hash, generation, rendered, ...known }, this.#parts, signal);
      this.#parts.agent.log.info('config: changed', { hash, transaction: this.#transaction.id });
    } catch (error) {
      if (signal.aborted || !(error instanceof ConfigError)) throw error;
      // What went wrong half-way was put back, or lies in the journal.
      const { transaction } = await files.recover();
      this.#transaction = transaction;
      if (transaction === undefined) await this.#fail(configFailureOf(error));
    } finally {
      if (this.#transaction === undefined) void guard.start();
    }
  }

  async #probe({ bootID }: Surroundings, signal: AbortSignal): Promise<void> {
    const since = this.#probing?.since ?? this.#parts.agent.monotonicMs();
    const results = await probe(this.#transaction!, bootID, this.#parts, signal);
    const failing = results.filter(({ passed }) => !passed);
    if (failing.length > 0) this.#parts.agent.log.info('config: probes fail', { failing });
    this.#probing = probed(this.#probing ?? { since, results: [] }, results, this.#parts.agent.monotonicMs());
  }

  async #keep(): Promise<void> {
    const transaction = this.#transaction!;
    const meta = metaOf(transaction);
    if (!(await transaction.keep())) return;
    await this.#parts.confirmation.disarm();
    await this.#parts.kernelArguments.forget();
    const { units, kernelArguments, generation } = meta;
    const highest = Math.max(this.#record!.highest, generation);
    await this.#save({ units, kernelArguments, highest, last: undefined, request: undefined });
    await this.#over();
    this.#parts.agent.log.info('config: in force', { hash: meta.hash });
  }

  async #revert(error: ConfigFailure): Promise<void> {
    const transaction = this.#transaction!;
    await this.#note('Reverted', error);
    try {
      await transaction.revert();
    } catch (failure) {
      this.#parts.agent.log.error('config: cannot be undone', { error: failure });
      await this.#note('Degraded', configFailureOf(failure));
      await this.#save({ request: undefined });
    }
  }

  /** The verdict is written down first: after a crash nobody else knows it. */
  async #note(phase: 'Reverted' | 'Degraded', error: ConfigFailure): Promise<void> {
    const { id: transaction, meta } = this.#transaction!;
    const { hash, generation } = changeMeta.parse(meta);
    const at = new Date(this.#parts.agent.now()).toISOString();
    await this.#save({ last: { hash, generation, phase, error, transaction, at } });
  }

  async #conclude(signal: AbortSignal): Promise<void> {
    const transaction = this.#transaction!;
    if (this.#record!.last?.transaction !== transaction.id) await this.#note('Reverted', NOT_CONFIRMED);
    // Whatever the host's script could not finish.
    await transaction.revert();
    const problems = await undoActions(transaction, this.#parts, signal);
    if (problems.length > 0) {
      const message = `the files are as they were, but ${problems.join('; ')}`.slice(0, 1024);
      await this.#note('Degraded', { code: 'RevertFailed', message });
    }
    await transaction.close();
    await this.#parts.confirmation.disarm();
    await this.#parts.kernelArguments.forget();
    await this.#save({ request: undefined });
    await this.#over();
    this.#parts.agent.log.warn('config: undone', { ...this.#record!.last });
  }

  async #over(): Promise<void> {
    this.#transaction = undefined;
    this.#probing = undefined;
    this.#rebootAskedAt = undefined;
    this.#draft = undefined;
    await this.#refresh();
    this.#parts.guard.forget();
    void this.#parts.guard.start();
  }

  #wish(): { hash: string; generation: number } {
    const wanted = this.#facts?.wanted;
    return { hash: wantedHash({ wanted }), generation: wanted?.generation ?? this.#record!.highest };
  }

  async #save(change: Partial<ConfigRecord>): Promise<void> {
    const record = { ...this.#record!, ...change };
    await this.#parts.records.write(record);
    this.#record = record;
  }

  #say(step: ConfigStep): void {
    const said = step.do === 'idle' ? `config: ${step.why}` : `config: ${step.do}`;
    if (said !== this.#said && step.do !== 'probe') this.#parts.agent.log.info(said);
    this.#said = said;
  }
}

const NOT_CONFIRMED: ConfigFailure = {
  code: 'NotConfirmed',
  message:
    'nobody confirmed the change in time, so the host undid it by itself; see "journalctl -u careen-confirm.service -u careen-confirm-boot.service" on the node',
};
