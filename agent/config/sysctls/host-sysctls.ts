import type { CommandResult } from '#agent/boot/host.ts';
import { ConfigError } from '../config-error.ts';

/** Settings of the kernel that runs, in the namespaces of the host. */
export interface Sysctls {
  /** Values by key; what cannot be read is not in it. */
  read(keys: readonly string[]): Promise<Map<string, string>>;
  /** Rejects with `ConfigError` ActionFailed where the kernel does not take it. */
  write(key: string, value: string): Promise<void>;
}

const LIMIT_MS = 10_000;
/** So many answers are told whole: of a program's output only the end is kept. */
const BATCH = 8;

/** One line for each file: `=` and its first line, or `-`. In one read(2), as /proc/sys gives no second part. */
const READ =
  'for at; do if line=$(head -n 1 "$at" 2>/dev/null); then printf "=%s\\n" "$line"; else echo -; fi; done';
const WRITE = 'printf "%s\\n" "$1" >"$2"';

type Run = (argv: readonly string[], signal: AbortSignal, limitMs: number) => Promise<CommandResult>;

/** By programs of the host: what /proc/sys shows depends on who looks. */
export class HostSysctls implements Sysctls {
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  async read(keys: readonly string[]): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (let at = 0; at < keys.length; at += BATCH) {
      const batch = keys.slice(at, at + BATCH);
      const { output } = await this.#shell(
        READ,
        batch.map((key) => pathOf(key)),
      );
      const lines = output.trimEnd().split('\n');
      // Of longer answers the first are cut off.
      for (const [index, key] of batch.toReversed().entries()) {
        const line = lines.at(-1 - index) ?? '-';
        if (line.startsWith('=')) found.set(key, line.slice(1).trim());
      }
    }
    return found;
  }

  async write(key: string, value: string): Promise<void> {
    const { status, output } = await this.#shell(WRITE, [value, pathOf(key)]);
    if (status === 0) return;
    const message = `the kernel does not take ${key} back to ${value} before the next boot: ${output.trim()}`;
    throw new ConfigError('ActionFailed', message.slice(0, 512));
  }

  #shell(script: string, words: readonly string[]): Promise<CommandResult> {
    return this.#run(['sh', '-c', script, 'sh', ...words], AbortSignal.timeout(LIMIT_MS), LIMIT_MS);
  }
}

function pathOf(key: string): string {
  return `/proc/sys/${key}`;
}
