import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bootUp } from '#test/machine/boot.ts';
import { createDisk } from '#test/machine/disk.ts';
import { readSlots } from '#test/machine/firmware.ts';
import { writeHostRoot } from '#test/machine/host-root.ts';
import { withImage } from '#test/machine/medium.ts';
import { until } from '#test/cluster/until.ts';

export interface WorkbenchOptions {
  directory: string;
  /** Image that USR-A holds at first. */
  osImage: string;
  kubeconfig: string;
  nodeName: string;
  /** The agent looks after the configuration as well. */
  nodeConfig?: boolean;
}

const PROGRAM = join(import.meta.dirname, '../main.ts');

/** A machine that is nothing but disk, firmware and agent: the real agent as a process, booted by hand. */
export class Workbench {
  readonly disk: string;
  readonly logFile: string;
  readonly #options: WorkbenchOptions;
  readonly #root: string;
  #agent: ChildProcess | undefined;
  bootID = '';

  constructor(options: WorkbenchOptions) {
    this.#options = options;
    this.#root = join(options.directory, 'host');
    this.disk = join(options.directory, 'disk.img');
    this.logFile = join(options.directory, 'agent.log');
  }

  async build(): Promise<void> {
    await mkdir(join(this.#root, 'run'), { recursive: true });
    createDisk(this.disk, { usrMiB: 8, osImage: this.#options.osImage });
  }

  /** What the agent sees as the host's root directory. */
  get root(): string {
    return this.#root;
  }

  get slots() {
    return withImage(this.disk, readSlots);
  }

  /** Firmware, kernel, then the agent; the boot ID is new. */
  async boot(): Promise<void> {
    const times = { bootMs: 1, resetMs: 1, watchdogMs: 1 };
    const system = await bootUp(this.disk, times, new AbortController().signal);
    if (system === undefined) throw new Error('the machine has nothing to boot');
    await rm(this.#rebootFile, { force: true });
    this.bootID = randomUUID();
    await writeHostRoot(this.#root, {
      bootID: this.bootID,
      machineID: 'a'.repeat(32),
      kernel: '6.12.0',
      osRelease: system.osRelease,
      partuuid: system.slot?.partuuid,
    });
    this.startAgent();
  }

  startAgent(): void {
    const { kubeconfig, nodeName } = this.#options;
    const flags = {
      '--kubeconfig': kubeconfig,
      '--node-name': nodeName,
      '--host-root': this.#root,
      '--disk': this.disk,
      '--reboot-command': JSON.stringify(['touch', this.#rebootFile]),
      '--log-level': 'debug',
      '--command-prefix': JSON.stringify(['env']),
    };
    const more = this.#options.nodeConfig === true ? ['--node-config'] : [];
    this.#agent = spawn(process.execPath, [PROGRAM, ...Object.entries(flags).flat(), ...more], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    // At once, so that lines stay in order and none is on its way when the directory goes.
    this.#agent.stderr?.on('data', (data: Buffer) => appendFileSync(this.logFile, data));
  }

  /** Waits until the agent asks for a reboot, and ends it as the system would. */
  async goDown(): Promise<void> {
    await until('the agent reboots the machine', () => existsSync(this.#rebootFile));
    await this.stopAgent('SIGTERM');
  }

  get agentPid(): number | undefined {
    return this.#agent?.pid;
  }

  /** Leaves the agent to itself: another may be started beside it. */
  releaseAgent(): ChildProcess | undefined {
    const agent = this.#agent;
    this.#agent = undefined;
    return agent;
  }

  async stopAgent(signal: NodeJS.Signals): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    if (agent === undefined || agent.exitCode !== null || agent.signalCode !== null) return;
    // Not only its exit: what it said last is in the log then.
    const gone = once(agent, 'close');
    agent.kill(signal);
    await gone;
  }

  /** Whether an agent has logged `text` since `from`, a place in the log. */
  async logged(text: string, from = 0): Promise<boolean> {
    return (await this.#wholeLog()).includes(text, from);
  }

  /** The place in the log that agents have come to. */
  async logEnd(): Promise<number> {
    return (await this.#wholeLog()).length;
  }

  /** The tail of what agents logged, for a test that failed. */
  async log(): Promise<string> {
    return (await this.#wholeLog()).slice(-6000);
  }

  #wholeLog(): Promise<string> {
    return readFile(this.logFile, 'utf8').catch(() => '');
  }

  get #rebootFile(): string {
    return join(this.#root, 'run/reboot');
  }
}
