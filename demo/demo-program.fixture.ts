import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { guardedDirectory, type GuardedDirectory } from '#test/cluster/guardian.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

/** The demo as somebody starts it, without a terminal, and with a temporary directory that nobody else uses. */
export class DemoProgram {
  output = '';
  readonly child: ChildProcess;
  readonly #temporary: GuardedDirectory;

  private constructor(args: readonly string[], temporary: GuardedDirectory) {
    this.#temporary = temporary;
    this.child = spawn(process.execPath, ['scripts/demo.ts', ...args], {
      cwd: ROOT,
      env: { ...process.env, TMPDIR: temporary.path },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (chunk: string) => (this.output += chunk));
  }

  static async start(args: readonly string[]): Promise<DemoProgram> {
    return new DemoProgram(args, await guardedDirectory('careen-demo-'));
  }

  /** Its exit status; null when a signal ended it. */
  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }

  /** Directories that it keeps its things in. */
  async directories(): Promise<string[]> {
    const names = await readdir(this.#temporary.path);
    return names
      .filter((name) => name.startsWith('careen-'))
      .map((name) => path.join(this.#temporary.path, name));
  }

  /** Kills it if it still runs; its directory goes. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL');
      await this.ended();
    }
    await this.#temporary.remove();
  }
}
