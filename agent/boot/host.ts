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
  /**
   * Runs a program on the host, without a shell; killed when `signal` aborts or after `limitMs`, whatever comes
   * first. Never rejects: a program that cannot be started has no status.
   */
  run(argv: readonly string[], signal: AbortSignal, limitMs: number): Promise<CommandResult>;
  readonly deadman: Deadman;
}

/** The boot of a slot on trial. */
export interface TrialBoot {
  /** PARTUUID of the slot. */
  partUUID: string;
  /** How long after the boot the agent has judged it at the latest, ms. */
  judgedMs: number;
  /** How many boots the bootloader gives it. */
  tries: number;
}

/**
 * Takes the machine back when a slot on trial comes up and nobody judges it, because the agent never ran there. It
 * lives on the host, outside the agent. Neither method rejects.
 */
export interface Deadman {
  /** Returns once it would survive a power cut; a machine that cannot have one goes without. */
  arm(trial: TrialBoot): Promise<void>;
  /**
   * It does nothing any more, in this boot or another; may be called whether it is armed or not. Gives how often it
   * could still have fired, of `tries`; undefined if it was not armed.
   */
  disarm(): Promise<number | undefined>;
}

/** `Inhibited`: somebody on the machine keeps it from rebooting for now. */
export type RebootErrorCode = 'Refused' | 'Inhibited' | 'Unreachable' | 'CommandFailed';

/** The machine did not agree to reboot. */
export class RebootError extends Error {
  override readonly name = 'RebootError';
  readonly code: RebootErrorCode;

  constructor(code: RebootErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
