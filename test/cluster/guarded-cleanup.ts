import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Writable } from 'node:stream';

const script = new URL('cleanup.sh', import.meta.url).pathname;

/** Something to be undone when this program ends, however it ends. */
export class GuardedCleanup {
  /** What guardians of processes inherit, so that the cleaning waits for them. */
  readonly holder: Writable;
  readonly #guardian: ChildProcess;
  readonly #done: Promise<void>;
  readonly #within = new Set<{ stop(): Promise<unknown> }>();

  constructor(guardian: ChildProcess, holder: Writable) {
    this.#guardian = guardian;
    this.holder = holder;
    this.#done = new Promise((resolve) => guardian.once('exit', () => resolve()));
  }

  /** Called for each process started within. */
  adopt(process: { stop(): Promise<unknown>; exited: Promise<unknown> }): void {
    this.#within.add(process);
    void process.exited.finally(() => this.#within.delete(process));
  }

  /** Stops everything that runs within, then cleans up. */
  async end(): Promise<void> {
    await Promise.all([...this.#within].map((process) => process.stop()));
    await this.run();
  }

  /** Cleans up now: after all guarded processes within have ended. */
  async run(): Promise<void> {
    this.#guardian.ref();
    this.holder.destroy(); // not end(): that would shut the pipe for the guardians that share it
    await this.#done;
  }

  /** Forgets the cleaning. */
  async cancel(): Promise<void> {
    this.#guardian.ref();
    this.holder.write('cancel\n');
    await this.#done;
    this.holder.destroy();
  }
}

/** A directory that vanishes with its owner. */
export interface GuardedDirectory {
  readonly path: string;
  readonly cleanup: GuardedCleanup;
  /** Stops all guarded processes `within` its cleanup, then removes it. */
  readonly remove: () => Promise<void>;
}

/**
 * Runs a shell script (its arguments are `$1`…) once this program and all guarded processes started `within`
 * have ended, even by SIGKILL. Arguments are passed as they are: no quoting is needed.
 */
export function guardedCleanup(shell: string, args: readonly string[] = []): GuardedCleanup {
  const guardian = spawn('/bin/sh', [script, shell, ...args], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guardian.unref();
  const holder = guardian.stdin as Socket;
  holder.on('error', () => {});
  holder.unref();
  return new GuardedCleanup(guardian, holder);
}

const REMOVE = 'chmod -R u+rwX -- "$1"; rm -rf -- "$1"';

/**
 * Makes a new directory in the system's temporary directory, named `<prefix>…`, that vanishes with us. `shell` says how:
 * the directory is its `$1`, `args` follow.
 */
export async function guardedDirectory(
  prefix: string,
  shell = REMOVE,
  args: readonly string[] = [],
): Promise<GuardedDirectory> {
  const directory = path.join(tmpdir(), `${prefix}${randomUUID().slice(0, 8)}`);
  // Guarded before it is there: else a program that is killed between the two would leave it behind.
  const cleanup = guardedCleanup(shell, [directory, ...args]);
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    await cleanup.cancel(); // it is somebody else's
    throw error;
  }
  return { path: directory, cleanup, remove: () => cleanup.end() };
}
