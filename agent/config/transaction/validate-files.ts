import type { ConfigDocument } from '#api/config-document.ts';
import type { CommandResult } from '#agent/boot/host.ts';
import { ConfigError } from '../config-error.ts';
import type { LocalPolicy } from '../paths/local-policy.ts';
import type { Transaction } from './contract.ts';

/** Runs a program on the host; never rejects. */
export type HostRun = (
  argv: readonly string[],
  signal: AbortSignal,
  limitMs: number,
) => Promise<CommandResult>;

const LIMIT_MS = 60_000;
const MAX_OUTPUT = 256;
/** What stands for the staged file in an argument. */
const PLACE = '{}';

/**
 * Has the user's own programs judge files before they take their place; a file that does not change is not judged.
 * Throws `ValidateFailed` or `PolicyRefused`.
 */
export async function validateFiles(
  { validate }: Pick<ConfigDocument, 'validate'>,
  { changes, staged }: Pick<Transaction, 'changes' | 'staged'>,
  { run, local, signal }: { run: HostRun; local: LocalPolicy; signal: AbortSignal },
): Promise<void> {
  const files = new Map(staged.map((item) => [item.path, item.staged]));
  const secret = new Set(changes.flatMap(({ path, sensitive }) => (sensitive ? [path] : [])));
  for (const { path, argv } of validate) {
    const file = files.get(path);
    if (file === undefined) continue;
    if (!local.commands) throw forbidden(path, local);
    const result = await run(
      argv.map((word) => word.replaceAll(PLACE, file)),
      signal,
      LIMIT_MS,
    );
    if (result.status !== 0) throw refused(path, argv, result, secret.has(path));
  }
}

function refused(path: string, argv: readonly string[], result: CommandResult, secret: boolean): ConfigError {
  // A program that quotes the line it does not like would tell the secret.
  const said = secret
    ? 'its output is not shown, since the file is secret'
    : result.output.trim().slice(-MAX_OUTPUT);
  const how = result.status === undefined ? 'did not end' : `ended with ${result.status}`;
  const message = `${argv[0]} refused ${path} (${how}): ${said}`;
  return new ConfigError('ValidateFailed', message, { path });
}

function forbidden(path: string, { source }: LocalPolicy): ConfigError {
  const message = `${path} is to be validated by a program, which ${source} on the node forbids`;
  return new ConfigError('PolicyRefused', message, { path });
}
