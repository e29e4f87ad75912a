import type { ConfigDocument } from '#api/config-document.ts';
import type { Meta } from '../journal/record.ts';
import type { Change } from '../plan/change.ts';
import type { Owned } from '../plan/owned.ts';
import type { FilePlan } from '../plan/plan-files.ts';

/** What is in force on this disk. */
export interface Applied {
  /** As it was given to `prepare`; undefined: nothing was ever applied. */
  meta: Meta | undefined;
  /** With all contents, so that it can be healed without the cluster. */
  document: ConfigDocument | undefined;
  owned: readonly Owned[];
}

/** How far a transaction has come. */
export type Stage =
  /** All that is new lies ready beside the old; nothing that anybody reads has changed. */
  | 'Staged'
  /** All is new. It counts only once it is kept. */
  | 'Switched'
  /** All is old again; what runs may still be new. */
  | 'Reverted';

/** A file as it is going to be, for programs of the host that judge it. */
export interface StagedFile {
  /** Where it will be. */
  path: string;
  /** Where it is now, on the host; undefined if it does not change and is judged where it is. */
  staged: string;
}

/** An action or a probe of a transaction, as far as it has come. */
export interface StepState {
  /** How often it was begun, restarts of the agent included. */
  attempts: number;
  done: boolean;
  /** Why it failed the last time. */
  message?: string | undefined;
}

/** A change of the host's files under way. All methods reject with `ConfigError`. */
export interface Transaction {
  readonly id: string;
  readonly meta: Meta;
  readonly changes: readonly Change[];
  readonly stage: Stage;
  /** True once the timer of the host has undone it. */
  readonly undoneByHost: boolean;
  /** Files that `validate` programs and systemd should see before anything changes. */
  readonly staged: readonly StagedFile[];
  /**
   * `Staged` → `Switched`: every file is put in its place. On an error all is old again, and the transaction over.
   * What a confirmation timer needs (`revertScript`) must be in place before.
   */
  switch(): Promise<void>;
  /** What is known of a step; `undo`: of the same step on the way back. */
  step(name: string, undo?: boolean): StepState;
  /** Written down before it returns, so that a step that was done is not done again, and one that failed is. */
  note(
    name: string,
    state: 'Started' | 'Done' | 'Failed',
    more?: { undo?: boolean; message?: string },
  ): Promise<void>;
  /** `Switched` → over: it is in force. False if the host's timer was faster: then `stage` is `Reverted`. */
  keep(): Promise<boolean>;
  /** → `Reverted`: all files as they were. `RevertFailed` leaves the journal for a person. */
  revert(): Promise<void>;
  /** `Reverted` → over; before it, actions are to be done again for the old files. */
  close(): Promise<void>;
  /** The lines of a POSIX shell script of the host that undo all files, unless the change is kept already. */
  revertScript(): string[];
}

/** What a killed agent left. */
export interface Recovery {
  /** It goes on from its stage: `Switched` or `Reverted`. */
  transaction?: Transaction | undefined;
  /** It had changed nothing that is read, and was taken back. */
  rolledBack?: { id: string; meta: Meta } | undefined;
}

export interface PrepareOptions {
  document: ConfigDocument;
  plan: FilePlan;
  /** What is to be known of it later: hash, generation, names, what follows. */
  meta: Meta;
}

/** The host's files, changed by one transaction at a time. */
export interface FileTransactions {
  /** To be called once, before all else. */
  recover(): Promise<Recovery>;
  applied(): Promise<Applied>;
  /** Reads only. Rejects where a path is refused, an owner unknown, something in the way. */
  plan(document: ConfigDocument): Promise<FilePlan>;
  /** Preflight, journal, staging. On an error nothing has changed. */
  prepare(options: PrepareOptions): Promise<Transaction>;
}
