import { join } from 'node:path';
import { runCommand } from './command.ts';
import { RebootError } from './host.ts';
import type { CommandResult, Host, HostFacts } from './host.ts';
import { rebootByLogind } from './logind.ts';
import { readHostFacts, readUptimeMs } from './read-host.ts';

export interface HostRootOptions {
  /** Where the host's root directory is mounted. */
  root: string;
  /** Argv that reboots the machine; without it logind is asked. */
  rebootCommand?: readonly string[] | undefined;
  /** Put before the argv of every program that runs on the host; default `chroot <root>`. */
  commandPrefix?: readonly string[] | undefined;
}

const COMMAND_MS = 30_000;

/** A host that the agent sees through its root directory. */
export class HostRoot implements Host {
  readonly #options: HostRootOptions;

  constructor(options: HostRootOptions) {
    this.#options = options;
  }

  facts(): Promise<HostFacts> {
    return readHostFacts(this.#options.root);
  }

  uptimeMs(): Promise<number | undefined> {
    return readUptimeMs(this.#options.root);
  }

  async reboot(): Promise<void> {
    const { rebootCommand, root } = this.#options;
    if (rebootCommand === undefined) return rebootByLogind(join(root, 'run/dbus/system_bus_socket'));
    const { status, output } = await runCommand(rebootCommand, AbortSignal.timeout(COMMAND_MS));
    if (status !== 0)
      throw new RebootError(
        'CommandFailed',
        `the reboot command ended with ${status ?? 'no status'}: ${output.trim()}`,
      );
  }

  run(argv: readonly string[], signal: AbortSignal): Promise<CommandResult> {
    const prefix = this.#options.commandPrefix ?? ['chroot', this.#options.root];
    return runCommand([...prefix, ...argv], signal);
  }
}
