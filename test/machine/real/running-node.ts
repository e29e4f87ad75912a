import { closeSync, existsSync, openSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { constants, uptime } from 'node:os';
import { join } from 'node:path';
import { guarded, type GuardedCleanup, type GuardedProcess } from '#test/cluster/guardian.ts';
import { until } from '#test/cluster/until.ts';
import { BOUNDED } from './bounded.ts';
import { TOOL_PATH } from './tool.ts';

const INIT = new URL('node-init.sh', import.meta.url).pathname;
/** Far more than it takes to make a process, on a busy computer too. */
const START_MS = 60_000;
/** node-init.sh makes this file just before it becomes the slot's init. */
const JUMPED = 'jumped';
/** What a node has of its own; it makes its cgroup namespace itself. */
export const NAMESPACES = [
  '--pid',
  '--mount',
  '--net',
  '--uts',
  '--ipc',
  '--time',
  '--propagation',
  'private',
];

/** What one boot needs; see node-init.sh. */
export interface BootSetup {
  directory: string;
  environment: Readonly<Record<string, string>>;
  within: GuardedCleanup;
}

/** How a boot ended: what PID 1 asked the kernel for, or `died` for all that makes a kernel panic. */
export type Ending = 'reboot' | 'power-off' | 'died';

/** A booted kernel, so to say: the namespaces of one boot, which live as long as their PID 1. */
export class RunningNode {
  readonly ended: Promise<Ending>;
  /** Process id of the node's PID 1 on this computer; undefined when it was gone before it could be seen. */
  readonly init: number | undefined;
  readonly #directory: string;
  readonly #process: GuardedProcess;
  #over = false;

  private constructor(directory: string, process: GuardedProcess, init: number | undefined) {
    this.#directory = directory;
    this.#process = process;
    this.init = init;
    this.ended = process.exited.then((status) => {
      this.#over = true;
      return endingOf(status);
    });
  }

  static async start(setup: BootSetup): Promise<RunningNode> {
    const { directory, environment, within } = setup;
    const output = openSync(join(directory, 'console.log'), 'a');
    try {
      rmSync(join(directory, JUMPED), { force: true });
      const args = [
        '--fork',
        '--kill-child=SIGKILL',
        ...NAMESPACES,
        ...clocks(),
        ...BOUNDED,
        '/bin/sh',
        INIT,
      ];
      const env = { ...environment, MACHINE: directory, PATH: TOOL_PATH };
      const process = await guarded('unshare', args, {
        env,
        within,
        graceMs: 0,
        stdout: output,
        stderr: output,
      });
      return new RunningNode(directory, process.unref(), await childInNamespace(process));
    } finally {
      closeSync(output);
    }
  }

  get running(): boolean {
    return !this.#over;
  }

  /** Whether the slot's own init has been started: what came before is the work of firmware and kernel. */
  get jumped(): boolean {
    return existsSync(join(this.#directory, JUMPED));
  }

  /** Whether PID 1 has taken over: systemd opens this socket before it starts anything. */
  get up(): boolean {
    return !this.#over && nameOf(this.init) === 'systemd' && existsSync(this.path('run/systemd/private'));
  }

  /** A file of the node as it sees it. */
  path(path: string): string {
    return join(`/proc/${this.init ?? 0}/root`, path);
  }

  /** The electricity is gone. All processes of the node have ended when this resolves. */
  async kill(): Promise<void> {
    if (this.init === undefined || this.#over) await this.#process.kill();
    else killIfThere(this.init);
    await this.ended;
  }
}

/** unshare ends by the signal that ended PID 1, which is how the kernel reports reboot(2) (pid_namespaces(7)). */
function endingOf(status: number): Ending {
  if (status === 128 + constants.signals.SIGHUP) return 'reboot';
  return status === 128 + constants.signals.SIGINT ? 'power-off' : 'died';
}

/** The clocks of a new boot start at zero: offsets against this computer's, in whole seconds. */
function clocks(): string[] {
  const monotonic = Number(process.hrtime.bigint() / 1_000_000_000n);
  return [`--monotonic=-${monotonic}`, `--boottime=-${Math.floor(uptime())}`];
}

/** The only child of unshare, once it lives in a network namespace of its own. */
async function childInNamespace(process: GuardedProcess): Promise<number | undefined> {
  let child: number | undefined;
  await until(
    'the node has a PID 1',
    () => {
      if (!process.running) return true;
      child = childOf(process.pid);
      return child !== undefined && networkOf(child) !== networkOf('self');
    },
    { timeoutMs: START_MS },
  );
  return process.running ? child : undefined;
}

function childOf(pid: number): number | undefined {
  const children = readText(`/proc/${pid}/task/${pid}/children`).trim();
  return children === '' ? undefined : Number(children.split(' ')[0]);
}

function networkOf(pid: number | 'self'): string {
  return readlinkSync(`/proc/${pid}/ns/net`);
}

function nameOf(pid: number | undefined): string {
  return pid === undefined ? '' : readText(`/proc/${pid}/comm`).trim();
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it ended meanwhile
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended meanwhile
  }
}
