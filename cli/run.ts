import { isKubeError } from '#runtime/client/error.ts';
import { FlagError } from '#runtime/flags/flags.ts';
import type { Commands } from './command.ts';

const PROGRAM = 'kubectl careen';

/** Exit statuses, as diff(1) and kubectl have them: 0 done, 1 differs or refused, 2 not understood, 3 failed. */
export const STATUS = { done: 0, differs: 1, usage: 2, failed: 3 } as const;

/** Finds the verb that `argv` names and runs it; the exit status. Errors are told in a line, never as a stack. */
export async function run(
  nouns: Readonly<Record<string, Commands>>,
  argv: readonly string[],
): Promise<number> {
  const [noun = '--help', verb = '--help', ...rest] = argv;
  const verbs = nouns[noun];
  const found = verbs?.[verb];
  if (verbs === undefined || found === undefined) return misnamed(nouns, noun, verb);
  const name = `${PROGRAM} ${noun} ${verb}`;
  try {
    return await found.run(name, rest);
  } catch (error) {
    if (error instanceof FlagError && error.code === 'help') {
      process.stdout.write(`${found.help}\n\n${error.message}\n`);
      return STATUS.done;
    }
    process.stderr.write(`${name}: ${sentence(error)}\n`);
    return error instanceof FlagError ? STATUS.usage : STATUS.failed;
  }
}

function misnamed(nouns: Readonly<Record<string, Commands>>, noun: string, verb: string): number {
  const asked = [noun, verb].some((word) => word === '--help' || word === 'help');
  const out = asked ? process.stdout : process.stderr;
  if (!asked) out.write(`${PROGRAM}: there is no "${noun} ${verb}"\n`);
  out.write(`${overview(nouns)}\n`);
  return asked ? STATUS.done : STATUS.usage;
}

function overview(nouns: Readonly<Record<string, Commands>>): string {
  const lines = Object.entries(nouns).flatMap(([noun, verbs]) =>
    Object.entries(verbs).map(
      ([verb, { words, help }]) => `  ${`${noun} ${verb} ${words}`.padEnd(40)} ${help}`,
    ),
  );
  const common = 'Each takes --kubeconfig PATH, and --help tells more of it.';
  return [`Usage: ${PROGRAM} NOUN VERB [words and flags]`, '', ...lines, '', common].join('\n');
}

function sentence(error: unknown): string {
  if (isKubeError(error, 'Forbidden')) return `${error.message}; ask for the rights, see docs/node-config.md`;
  return error instanceof Error ? error.message : String(error);
}
