/** What the machine says of itself now. */
export interface HostFacts {
  bootID: string;
  machineID?: string;
  os: { id: string; version: string; kernel?: string };
}

/** How a program on the host ended; `output` is the tail of what it printed. */
export interface CommandResult {
  status: number | undefined;
  output: string;
}

/** The machine around the agent, as far as the agent touches it; everything else is the disk's (slots/). */
export interface Host {
  facts(): Promise<HostFacts>;
  /** Milliseconds since the boot, unaffected by the wall clock; undefined where the host does not tell. */
  uptimeMs(): Promise<number | undefined>;
  /** Asks the machine to reboot in good order; returns when it agreed to. Throws `RebootError`. */
  reboot(): Promise<void>;
  /** Runs a program on the host, without a shell; killed when `signal` aborts. A program that cannot be started has no status. */
  run(argv: readonly string[], signal: AbortSignal): Promise<CommandResult>;
}

export type RebootErrorCode = 'Refused' | 'Unreachable' | 'CommandFailed';

/** The machine did not agree to reboot. */
export class RebootError extends Error {
  override readonly name = 'RebootError';
  readonly code: RebootErrorCode;

  constructor(code: RebootErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
