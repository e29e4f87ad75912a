import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandResult } from '../host.ts';
import { pathOnHost } from '../path-on-host.ts';
import { BusError } from './bus-error.ts';
import { findProgram } from './find-program.ts';
import { Manager } from './manager.ts';
import { OutputSocket } from './output-socket.ts';
import { transientUnit } from './transient-unit.ts';
import { UnitRun } from './unit-run.ts';
import type { UnitEnd } from './unit-run.ts';

/** How long the last output may be on its way after the program ended. */
const TAIL_MS = 500;
/** The agent stops it first, if it is there. */
const SLACK_MS = 1000;
const STOPPED: UnitEnd = { status: undefined, result: 'it was stopped' };
const PREFIX = 'careen-check-';

/**
 * Runs programs on the host, each as a unit of the host's systemd: with the host's root and namespaces, in a cgroup
 * of its own that ends with it, and without any tool in the agent's image. A unit ends and is gone by itself also
 * when the agent is killed meanwhile.
 */
export class HostRunner {
  readonly #root: string;
  readonly #stateDir: string;
  #swept: Promise<void> | undefined;

  /** `root`: where the host's root directory is mounted. `stateDir` takes the sockets for output. */
  constructor({ root, stateDir }: { root: string; stateDir: string }) {
    this.#root = root;
    this.#stateDir = stateDir;
  }

  /** Never rejects. What `signal` ends, or lasts longer than `limitMs`, is killed and has no status. */
  async run(argv: readonly string[], signal: AbortSignal, limitMs: number): Promise<CommandResult> {
    try {
      const program = await findProgram(this.#root, argv[0] ?? '');
      const output = await this.#listen();
      try {
        return await this.#start([program, ...argv.slice(1)], signal, limitMs, output);
      } finally {
        await output?.close();
      }
    } catch (error) {
      return { status: undefined, output: error instanceof Error ? error.message : String(error) };
    }
  }

  async #start(
    argv: readonly string[],
    signal: AbortSignal,
    limitMs: number,
    output: OutputSocket | undefined,
  ): Promise<CommandResult> {
    const manager = await Manager.connect(this.#root);
    try {
      const unit = `${PREFIX}${randomBytes(6).toString('hex')}.service`;
      const description = `Careen: a health check (${argv[0]})`;
      const path = output && pathOnHost(this.#root, output.path);
      const ended = await start(
        manager,
        unit,
        transientUnit({ description, argv, limitMs: limitMs + SLACK_MS, output: path }),
        signal,
      );
      const tail = await output?.tail(ended === STOPPED ? 0 : TAIL_MS);
      return { status: ended.status, output: tail === undefined || tail === '' ? said(ended) : tail };
    } finally {
      manager.close();
    }
  }

  /** None on a disk that takes no file: then the status alone has to tell. */
  async #listen(): Promise<OutputSocket | undefined> {
    await (this.#swept ??= this.#sweep());
    const path = join(this.#stateDir, `${PREFIX}${randomBytes(6).toString('hex')}.socket`);
    return OutputSocket.listen(path).catch(() => undefined);
  }

  /** Removes what an agent left that was killed; there is one agent at a time. */
  async #sweep(): Promise<void> {
    const names = await readdir(this.#stateDir).catch((): string[] => []);
    const left = names.filter((name) => name.startsWith(PREFIX));
    await Promise.all(left.map((name) => rm(join(this.#stateDir, name), { force: true })));
  }
}

/** Starts it and waits for its end; when `signal` aborts, it is stopped and nobody waits. */
async function start(
  manager: Manager,
  unit: string,
  properties: ReturnType<typeof transientUnit>,
  signal: AbortSignal,
): Promise<UnitEnd> {
  const run = new UnitRun(unit);
  manager.connection.onSignal((heard) => run.hear(heard));
  await manager.follow(unit);
  signal.throwIfAborted();
  await manager.startTransientUnit(unit, properties);
  const { promise: aborted, resolve: abort } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => abort(), { once: true });
  if (signal.aborted) abort();
  const end = await Promise.race([run.ended, aborted, manager.connection.closed.then(hungUp)]);
  if (end !== undefined) return end;
  await manager.stopUnit(unit).catch(() => undefined);
  return STOPPED;
}

function hungUp(): never {
  throw new BusError('NoAnswer', 'systemd hung up while a program ran; see "systemctl status" on the node');
}

/** What to say of a program that printed nothing. */
function said({ status, result }: UnitEnd): string {
  if (status === 203) return 'the program cannot be executed';
  if (status !== undefined && status >= 200 && status < 250)
    return `systemd could not set the program up (status ${status}, see systemd.exec(5))`;
  return status === undefined ? `systemd says: ${result}` : '';
}
