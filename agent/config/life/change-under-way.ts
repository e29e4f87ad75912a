import type { Transaction } from '../transaction/contract.ts';
import { changeMeta } from './change-meta.ts';
import type { ConfigFailure } from './config-record.ts';
import { probed } from './confirming.ts';
import type { Probing } from './confirming.ts';
import type { ConfigFacts } from './facts.ts';
import { configFailureOf } from './failure.ts';
import { act, failedStep, metaOf, pendingStep, probe, undoActions } from './follow.ts';
import type { KeptRecord } from './kept-record.ts';
import type { ConfigParts } from './parts.ts';

const NOT_CONFIRMED: ConfigFailure = {
  code: 'NotConfirmed',
  message:
    'nobody confirmed the change in time, so the host undid it by itself; see "journalctl -u careen-confirm.service -u careen-confirm-boot.service" on the node',
};

/** A change whose files are in their place, until it counts or is undone. */
export class ChangeUnderWay {
  readonly #transaction: Transaction;
  readonly #record: KeptRecord;
  readonly #parts: ConfigParts;
  #probing: Probing | undefined;
  #rebootAskedAt: number | undefined;

  constructor(transaction: Transaction, record: KeptRecord, parts: ConfigParts) {
    this.#transaction = transaction;
    this.#record = record;
    this.#parts = parts;
  }

  facts(): Pick<ConfigFacts, 'changing' | 'probing' | 'rebootAskedAt'> {
    const { id, stage, undoneByHost } = this.#transaction;
    return {
      changing: {
        id,
        stage,
        undoneByHost,
        meta: metaOf(this.#transaction),
        acted: pendingStep(this.#transaction) === undefined,
        failed: failedStep(this.#transaction),
      },
      probing: this.#probing,
      rebootAskedAt: this.#rebootAskedAt,
    };
  }

  act(signal: AbortSignal): Promise<void> {
    return act(this.#transaction, this.#parts, signal);
  }

  async reboot(): Promise<void> {
    await this.#parts.host.reboot();
    this.#rebootAskedAt = this.#parts.agent.monotonicMs();
  }

  async probe(bootID: string, signal: AbortSignal): Promise<void> {
    const { log, monotonicMs } = this.#parts.agent;
    const since = this.#probing?.since ?? monotonicMs();
    const results = await probe(this.#transaction, bootID, this.#parts, signal);
    const failing = results.filter(({ passed }) => !passed);
    if (failing.length > 0) log.info('config: probes fail', { failing });
    this.#probing = probed(this.#probing ?? { since, results: [] }, results, monotonicMs());
  }

  /** False if the host's timer was faster. */
  async keep(): Promise<boolean> {
    const { hash, units, sysctls, kernelArguments, generation } = metaOf(this.#transaction);
    if (!(await this.#transaction.keep())) return false;
    await this.#disarm();
    const highest = Math.max(this.#record.value.highest, generation);
    await this.#record.save({
      units,
      sysctls,
      kernelArguments,
      highest,
      last: undefined,
      request: undefined,
    });
    this.#parts.agent.log.info('config: in force', { hash });
    return true;
  }

  async revert(error: ConfigFailure): Promise<void> {
    await this.#note('Reverted', error);
    try {
      await this.#transaction.revert();
    } catch (failure) {
      this.#parts.agent.log.error('config: cannot be undone', { error: failure });
      await this.#note('Degraded', configFailureOf(failure));
      await this.#record.save({ request: undefined });
    }
  }

  async conclude(signal: AbortSignal): Promise<void> {
    const transaction = this.#transaction;
    if (this.#record.value.last?.transaction !== transaction.id) await this.#note('Reverted', NOT_CONFIRMED);
    // Whatever the host's script could not finish.
    await transaction.revert();
    const problems = await undoActions(transaction, this.#parts, signal);
    if (problems.length > 0) {
      const message = `the files are as they were, but ${problems.join('; ')}`.slice(0, 1024);
      await this.#note('Degraded', { code: 'RevertFailed', message });
    }
    await transaction.close();
    await this.#disarm();
    await this.#record.save({ request: undefined });
    this.#parts.agent.log.warn('config: undone', { ...this.#record.value.last });
  }

  /** The verdict is written down first: after a crash nobody else knows it. */
  async #note(phase: 'Reverted' | 'Degraded', error: ConfigFailure): Promise<void> {
    const { id: transaction, meta } = this.#transaction;
    const { hash, generation } = changeMeta.parse(meta);
    const at = new Date(this.#parts.agent.now()).toISOString();
    await this.#record.save({ last: { hash, generation, phase, error, transaction, at } });
  }

  async #disarm(): Promise<void> {
    await this.#parts.confirmation.disarm();
    await this.#parts.kernelArguments.forget();
  }
}
