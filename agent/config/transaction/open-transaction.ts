import { posix } from 'node:path';
import { errnoOf } from '#agent/errno.ts';
import { ConfigError, configErrorOf } from '../config-error.ts';
import type { Verdict } from '../journal/journal-file.ts';
import type { Begin, JournalRecord, Meta, StepRecord } from '../journal/record.ts';
import type { Change } from '../plan/change.ts';
import type { Owned } from '../plan/owned.ts';
import type { Stage, StagedFile, StepState, Transaction } from './contract.ts';
import { FileChanges } from './file-changes.ts';
import { revertScript } from './revert-script.ts';
import type { Workplace } from './workplace.ts';

/** A transaction whose files are staged at least, over its journal. */
export class OpenTransaction implements Transaction {
  readonly #place: Workplace;
  readonly #begin: Begin;
  readonly #files: FileChanges;
  readonly #steps: StepRecord[];
  #verdict: Verdict;
  #stage: Stage;
  undoneByHost = false;

  constructor(place: Workplace, begin: Begin, stage: Stage, records: readonly JournalRecord[] = []) {
    this.#place = place;
    this.#begin = begin;
    this.#files = new FileChanges(place.tree, begin.id, begin.changes);
    this.#steps = records.filter((record) => record.record === 'step');
    this.#stage = stage;
    this.#verdict = stage === 'Reverted' ? 'reverted' : 'open';
  }

  get id(): string {
    return this.#begin.id;
  }

  get meta(): Meta {
    return this.#begin.meta;
  }

  get changes(): readonly Change[] {
    return this.#begin.changes;
  }

  get stage(): Stage {
    return this.#stage;
  }

  get staged(): readonly StagedFile[] {
    return this.changes
      .filter(({ after }) => after.type === 'file')
      .map((change) => ({
        path: change.path,
        staged: posix.join(posix.dirname(change.path), this.#files.names(change).fresh),
      }));
  }

  async switch(): Promise<void> {
    await this.#append({ record: 'switching' });
    await this.complete();
  }

  /** Goes forward, also after a crash. On an error all is old again, and the transaction over. */
  async complete(): Promise<void> {
    try {
      await this.#files.switch();
      await this.#place.journal.append('open', { record: 'switched' });
      this.#stage = 'Switched';
    } catch (error) {
      await this.revert();
      await this.close();
      throw errnoOf(error) === 'ENOENT' ? undoneMeanwhile(error) : configErrorOf(error, 'changing', 'files');
    }
  }

  step(name: string, undo = false): StepState {
    const records = this.#steps.filter((record) => record.step === name && record.undo === undo);
    const last = records.at(-1);
    return {
      attempts: records.filter(({ state }) => state === 'Started').length,
      done: last?.state === 'Done',
      message: last?.message,
    };
  }

  async note(
    name: string,
    state: StepRecord['state'],
    { undo = false, message }: { undo?: boolean; message?: string } = {},
  ): Promise<void> {
    const record: StepRecord = { record: 'step', step: name, state, undo, message };
    await this.#append(record);
    this.#steps.push(record);
  }

  async keep(): Promise<boolean> {
    if (!(await this.#decide('kept'))) {
      this.undoneByHost = true;
      await this.revert();
      return false;
    }
    await this.finishKeeping();
    return true;
  }

  /** What remains once it is decided that the new is kept; may be repeated. */
  async finishKeeping(): Promise<void> {
    const { store, journal, preimages } = this.#place;
    await store.write(this.meta, this.#begin.owned);
    await store.takeNext();
    await this.#files.forget();
    await preimages.keepOnly(contentsOf(this.#begin.owned));
    await journal.remove();
    this.#verdict = 'kept';
  }

  async revert(): Promise<void> {
    try {
      // Already so where the host's timer, or this agent before a crash, has decided.
      await this.#decide('reverted');
      await this.#files.undo();
    } catch (error) {
      throw revertFailed(error, this.#place.journal.directory);
    }
    this.#verdict = 'reverted';
    this.#stage = 'Reverted';
  }

  async close(): Promise<void> {
    const { store, journal, preimages } = this.#place;
    await store.dropNext();
    await preimages.keepOnly(contentsOf((await store.read()).owned));
    await journal.remove();
  }

  revertScript(): string[] {
    return revertScript(this.#begin, this.#place.journal.directory, this.#place.tree);
  }

  #decide(verdict: 'kept' | 'reverted'): Promise<boolean> {
    return this.#verdict === 'open' ? this.#place.journal.decide(verdict) : Promise.resolve(false);
  }

  async #append(record: JournalRecord): Promise<void> {
    try {
      await this.#place.journal.append(this.#verdict, record);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') throw undoneMeanwhile(error);
      throw configErrorOf(error, 'writing', this.#place.journal.directory);
    }
  }
}

/** Contents that may have to be restored one day. */
function contentsOf(owned: readonly Owned[]): Set<string> {
  return new Set(owned.flatMap(({ before }) => (before.type === 'file' ? [before.sha256] : [])));
}

function undoneMeanwhile(cause: unknown): ConfigError {
  return new ConfigError('NotConfirmed', 'the host undid the change before it was confirmed', { cause });
}

function revertFailed(error: unknown, journal: string): ConfigError {
  const { message, path, errno } = configErrorOf(error, 'restoring', 'files');
  const advice = `a person has to look: ${journal} says what was there before`;
  return new ConfigError('RevertFailed', `the change could not be undone (${message}); ${advice}`, {
    path,
    errno,
    cause: error,
  });
}
