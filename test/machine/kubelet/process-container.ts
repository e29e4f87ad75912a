import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { guarded, type GuardedCleanup, type GuardedProcess } from '#test/cluster/guardian.ts';
import { backOffMs, type BackOff } from './back-off.ts';
import type { Container, ContainerHistory, ContainerView } from './container.ts';
import type { StateOfContainer } from './pod.ts';
import { timestamp } from './simulated-container.ts';

export interface CommandLine {
  command: string;
  args: string[];
  env: Record<string, string>;
}

export interface ProcessContainerOptions {
  name: string;
  image: string;
  /** Made unique by the number of the start. */
  id: string;
  history: ContainerHistory;
  restartPolicy: 'Always' | 'OnFailure' | 'Never';
  /** What to run; may need the API server, and is asked again until it can say. */
  commandLine: (signal: AbortSignal) => Promise<CommandLine>;
  /** Whether the process that runs is ready; asked every `probeMs`. */
  probe: (pid: number) => Promise<boolean>;
  probeMs: number;
  backOff: BackOff;
  /** Output is appended there. */
  logFile: string;
  within: GuardedCleanup | undefined;
  onChange: () => void;
}

/** A process that was ready is not any more after so many probes in a row; Kubernetes' own default. */
const FAILURE_THRESHOLD = 3;

/** A container that is a process of this computer. It ends when this program ends, however that happens. */
export class ProcessContainer implements Container {
  readonly name: string;
  readonly #options: ProcessContainerOptions;
  readonly #stop = new AbortController();
  #state: StateOfContainer = { waiting: { reason: 'ContainerCreating' } };
  #last: StateOfContainer;
  #restarts: number;
  #ready = false;
  #process: GuardedProcess | undefined;
  #life: Promise<void> = Promise.resolve();

  constructor(options: ProcessContainerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#last = options.history.last;
    this.#restarts = options.history.restarts;
  }

  get pid(): number | undefined {
    return this.#process?.running === true ? this.#process.pid : undefined;
  }

  view(): ContainerView {
    const { name, image, id } = this.#options;
    return {
      name,
      image,
      id: this.#process === undefined ? undefined : `${id}/${this.#restarts}`,
      ready: this.#ready,
      restarts: this.#restarts,
      state: this.#state,
      last: this.#last,
    };
  }

  start(): void {
    this.#life = this.#live();
  }

  async stop(graceMs: number): Promise<void> {
    this.#stop.abort();
    this.signal('SIGTERM');
    await Promise.race([this.#life, sleep(graceMs)]);
    await this.kill();
  }

  async kill(): Promise<void> {
    this.#stop.abort();
    this.signal('SIGKILL');
    await this.#life;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.signal(signal);
  }

  async #live(): Promise<void> {
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      const began = Date.now();
      const exitCode = await this.#runOnce();
      if (exitCode === undefined) continue;
      if (this.#isDone(exitCode)) return;
      failures = Date.now() - began >= this.#options.backOff.resetMs ? 1 : failures + 1;
      await this.#backOff(failures);
    }
  }

  /** Runs the process to its end and gives its status; undefined when it was not started. */
  async #runOnce(): Promise<number | undefined> {
    const line = await this.#commandLine();
    if (line === undefined || this.#stop.signal.aborted) return undefined;
    const running = await this.#spawn(line);
    this.#process = running;
    if (this.#stop.signal.aborted) running.signal('SIGKILL'); // stopped while the process was being made
    const startedAt = timestamp();
    this.#set({ running: { startedAt } });
    void this.#watchReadiness(running);
    const exitCode = await running.exited;
    this.#ready = false;
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    this.#set({ terminated: { exitCode, reason, startedAt, finishedAt: timestamp() } });
    return exitCode;
  }

  async #commandLine(): Promise<CommandLine | undefined> {
    try {
      return await this.#options.commandLine(this.#stop.signal);
    } catch (error) {
      this.#set({ waiting: { reason: 'CreateContainerConfigError', message: String(error).slice(0, 500) } });
      await this.#pause(500);
      return undefined;
    }
  }

  async #spawn(line: CommandLine): Promise<GuardedProcess> {
    mkdirSync(dirname(this.#options.logFile), { recursive: true });
    const log = openSync(this.#options.logFile, 'a');
    const { within } = this.#options;
    try {
      const options = { env: line.env, stdout: log, stderr: log, graceMs: 0, within };
      return (await guarded(line.command, line.args, options)).unref();
    } finally {
      closeSync(log);
    }
  }

  async #watchReadiness(running: GuardedProcess): Promise<void> {
    let failures = 0;
    while (running.running && !this.#stop.signal.aborted) {
      failures = (await this.#options.probe(running.pid).catch(() => false)) ? 0 : failures + 1;
      const ready = failures === 0 || (this.#ready && failures < FAILURE_THRESHOLD);
      if (running.running && ready !== this.#ready) {
        this.#ready = ready;
        this.#options.onChange();
      }
      await this.#pause(this.#ready ? this.#options.probeMs * 5 : this.#options.probeMs);
    }
  }

  #isDone(exitCode: number): boolean {
    const { restartPolicy } = this.#options;
    return restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && exitCode === 0);
  }

  async #backOff(failures: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const delay = backOffMs(failures, this.#options.backOff);
    this.#last = this.#state;
    if (delay > 0) this.#set({ waiting: { reason: 'CrashLoopBackOff', message: `back-off ${delay} ms` } });
    await this.#pause(delay);
    this.#restarts += 1;
  }

  /** Ends early when the container is stopped. */
  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {});
  }

  #set(state: StateOfContainer): void {
    this.#state = state;
    this.#options.onChange();
  }
}
