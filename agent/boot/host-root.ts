import type { Log } from '#runtime/log/log.ts';
import { runCommand } from './command.ts';
import { HostDeadman } from './deadman/host-deadman.ts';
import { noDeadman } from './deadman/no-deadman.ts';
import { RebootError } from './host.ts';
import type { CommandResult, Deadman, Host, HostFacts } from './host.ts';
import { readHostFacts, readUptimeMs } from './read-host.ts';
import { rebootHost } from './reboot.ts';
import { HostRunner } from './systemd/host-runner.ts';

export interface HostRootOptions {
  /** Where the host's root directory is mounted. */
  root: string;
  /** Where the agent keeps what must survive; below `root`, so that the host sees it too. */
  stateDir: string;
  /** Argv that reboots the machine; without it logind is asked, or systemd. */
  rebootCommand?: readonly string[] | undefined;
  /** Put before the argv of every program that runs on the host; without it each is a unit of the host's systemd. */
  commandPrefix?: readonly string[] | undefined;
  log: Pick<Log, 'info' | 'warn'>;
}

const COMMAND_MS = 30_000;

/** A host that the agent sees through its root directory. */
export class HostRoot implements Host {
  readonly #options: HostRootOptions;
  readonly #runner: HostRunner;
  readonly deadman: Deadman;

  constructor(options: HostRootOptions) {
    this.#options = options;
    this.#runner = new HostRunner(options);
    this.deadman = options.rebootCommand === undefined ? new HostDeadman(options) : noDeadman;
  }

  facts(): Promise<HostFacts> {
    return readHostFacts(this.#options.root);
  }

  uptimeMs(): Promise<number | undefined> {
    return readUptimeMs(this.#options.root);
  }

  async reboot(): Promise<void> {
    const { rebootCommand, root } = this.#options;
    if (rebootCommand === undefined) return rebootHost(root);
    const { status, output } = await runCommand(rebootCommand, AbortSignal.timeout(COMMAND_MS));
    if (status !== 0)
      throw new RebootError(
        'CommandFailed',
        `the reboot command ended with ${status ?? 'no status'}: ${output.trim()}`,
      );
  }

  run(argv: readonly string[], signal: AbortSignal, limitMs: number): Promise<CommandResult> {
    const { commandPrefix } = this.#options;
    if (commandPrefix === undefined) return this.#runner.run(argv, signal, limitMs);
    return runCommand([...commandPrefix, ...argv], AbortSignal.any([signal, AbortSignal.timeout(limitMs)]));
  }
}
