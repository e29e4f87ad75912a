import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import type { GuardedCleanup } from './guarded-cleanup.ts';

export { guardedCleanup, guardedDirectory } from './guarded-cleanup.ts';
export type { GuardedCleanup, GuardedDirectory } from './guarded-cleanup.ts';

/** Where an output of a guarded process goes: nowhere, to ours, to a stream to read, or to an open file. */
export type Output = 'ignore' | 'inherit' | 'pipe' | number;

/** How to start a guarded process. */
export interface GuardedOptions {
  env?: NodeJS.ProcessEnv | undefined;
  cwd?: string | undefined;
  /** Default `ignore`. */
  stdout?: Output | undefined;
  /** Default `ignore`. */
  stderr?: Output | undefined;
  /** From TERM to KILL, in milliseconds; 0 kills at once. Default 5000. */
  graceMs?: number | undefined;
  /** What must be cleaned up only after this process is gone (usually its directory). */
  within?: GuardedCleanup | undefined;
}

interface Outputs {
  stdout: Readable | null;
  stderr: Readable | null;
}

/** A process that ends with its parent. */
export class GuardedProcess {
  /** The process id of the command itself (not of its guardian). */
  readonly pid: number;
  /** The command's exit status as a shell gives it: 128 + the signal's number if a signal ended it. */
  readonly exited: Promise<number>;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly #guardian: ChildProcess;
  #status: number | undefined;

  constructor(guardian: ChildProcess, started: { pid: number; exited: Promise<number> } & Outputs) {
    this.#guardian = guardian;
    this.pid = started.pid;
    this.stdout = started.stdout;
    this.stderr = started.stderr;
    this.exited = started.exited.then((status) => (this.#status = status));
  }

  get running(): boolean {
    return this.#status === undefined;
  }

  /** Sends a signal to the command; nothing happens if it has ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.running) lifeline(this.#guardian).write(`${signal.slice('SIG'.length)}\n`);
  }

  /** Ends the command (TERM, after the grace KILL, with all that it started) and gives its exit status. */
  async stop(): Promise<number> {
    this.#guardian.ref();
    lifeline(this.#guardian).destroy();
    return this.exited;
  }

  /** Kills the command with all that it started, at once. */
  async kill(): Promise<number> {
    this.signal('SIGKILL');
    this.#guardian.ref();
    return this.exited;
  }

  /** Lets this program end (and the command with it) although the command still runs. */
  unref(): this {
    this.#guardian.unref();
    return this;
  }
}

const script = new URL('guardian.sh', import.meta.url).pathname;

/**
 * Starts `command` under a guardian, a small shell in a session of its own that kills the command when this
 * program ends for whatever reason, SIGKILL included. Standard input of the command is empty.
 * A command that cannot be started exits with 126 or 127, as in a shell.
 */
export async function guarded(
  command: string,
  args: readonly string[],
  options: GuardedOptions = {},
): Promise<GuardedProcess> {
  const grace = String(Math.ceil((options.graceMs ?? 5000) / 100));
  const guardian = spawn('/bin/sh', [script, grace, command, ...args], {
    detached: true,
    env: options.env,
    cwd: options.cwd,
    stdio: [
      'pipe',
      options.stdout ?? 'ignore',
      options.stderr ?? 'ignore',
      'pipe',
      options.within?.holder ?? 'ignore',
    ],
  });
  const exited = exitStatus(guardian);
  const outputs = { stdout: kept(guardian.stdout), stderr: kept(guardian.stderr) };
  lifeline(guardian).on('error', () => {}); // the guardian ended first: its exit tells
  (guardian.stdin as Socket).unref(); // the lifeline alone must not keep this program running
  const started = new GuardedProcess(guardian, { pid: await reportedPid(guardian), exited, ...outputs });
  options.within?.adopt(started);
  return started;
}

/** Node drops unread output when the process exits; a stream of our own keeps it for the reader. */
function kept(output: Readable | null): Readable | null {
  return output === null ? null : output.pipe(new PassThrough());
}

function exitStatus(guardian: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    guardian.once('error', reject);
    guardian.once('exit', (code, signal) => {
      lifeline(guardian).destroy(); // the watcher may now kill what is left of the group
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

async function reportedPid(guardian: ChildProcess): Promise<number> {
  const report = guardian.stdio[3] as Readable;
  let text = '';
  for await (const chunk of report) text += String(chunk);
  return Number(text);
}

function lifeline(guardian: ChildProcess): Writable {
  if (guardian.stdin === null) throw new Error('a guardian without a lifeline');
  return guardian.stdin;
}
