import { parseArgs } from 'node:util';
import type { z } from 'zod';

/** One flag. Its zod schema gets the text that the user wrote; a switch gets `"true"` or `"false"`. */
export interface Flag<S extends z.ZodType = z.ZodType> {
  schema: S;
  help: string;
  /** Placeholder in the help, such as `PATH`; a flag without one is a switch that needs no value. */
  value?: string | undefined;
  /** Environment variable that is read when the flag is not given. */
  env?: string | undefined;
  /** As the user would write it. A flag without default is required, unless its schema takes undefined. */
  default?: string | undefined;
}

/** Flags by their name in the code: `leaseDuration` is `--lease-duration`. */
export type Flags = Record<string, Flag>;

export type FlagValues<F extends Flags> = { [Name in keyof F]: z.output<F[Name]['schema']> };

/** `help`: the user asked for it, the message is the answer. `usage`: the message says what is wrong. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
  readonly code: 'help' | 'usage';

  constructor(code: 'help' | 'usage', message: string) {
    super(message);
    this.code = code;
  }
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * Reads `argv` (without node and script). Of a repeated flag the last one counts; unknown flags and stray
 * words are refused. Throws a FlagError. `parseCommandLine` takes words as well.
 *
 * @example
 * parseFlags('careen-agent', { hostRoot: { schema: z.string(), value: 'PATH', default: '/host', help: '…' } }, argv)
 */
export function parseFlags<F extends Flags>(
  program: string,
  flags: F,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): FlagValues<F> {
  const { values, words } = parseCommandLine(program, flags, argv, env);
  const [stray] = words;
  if (stray !== undefined)
    throw new FlagError('usage', `unexpected argument '${stray}' (--help lists the flags)`);
  return values;
}

/** What a command line said: its flags, and the words beside them in their order. */
export interface CommandLine<F extends Flags> {
  values: FlagValues<F>;
  words: string[];
}

/** As `parseFlags`, with words among the flags. `usage` shows them in the help: `config plan [NODE...]`. */
export function parseCommandLine<F extends Flags>(
  usage: string,
  flags: F,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): CommandLine<F> {
  const { given, words } = readArguments(flags, argv);
  if (given['help'] !== undefined) throw new FlagError('help', helpText(usage, flags));
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const text = given[dashed(name)] ?? (flag.env === undefined ? undefined : env[flag.env]) ?? flag.default;
    values[name] = checked(`--${dashed(name)}`, flag, text);
  }
  return { values: values as FlagValues<F>, words };
}

interface Given {
  given: Record<string, string | undefined>;
  words: string[];
}

function readArguments(flags: Flags, argv: readonly string[]): Given {
  const options: Record<string, { type: 'string' | 'boolean' }> = { help: { type: 'boolean' } };
  for (const [name, flag] of Object.entries(flags)) {
    options[dashed(name)] = { type: flag.value === undefined ? 'boolean' : 'string' };
  }
  try {
    const { values, positionals: words } = parseArgs({
      args: [...argv],
      options,
      strict: true,
      allowPositionals: true,
      allowNegative: true,
    });
    const given = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
    return { given, words };
  } catch (error) {
    throw new FlagError('usage', `${(error as Error).message} (--help lists the flags)`);
  }
}

function checked(name: string, flag: Flag, text: string | undefined): unknown {
  const result = flag.schema.safeParse(text);
  if (result.success) return result.data;
  const from = flag.env === undefined ? '' : ` or set ${flag.env}`;
  if (text === undefined) throw new FlagError('usage', `${name} is required: give it${from}`);
  throw new FlagError('usage', `${name}: ${result.error.issues[0]?.message ?? 'not understood'}`);
}

/** One line a flag: name, placeholder, what it does, default, environment variable. */
export function helpText(program: string, flags: Flags): string {
  const lines = Object.entries(flags).map(([name, flag]) => {
    const left = `  --${dashed(name)}${flag.value === undefined ? '' : ` ${flag.value}`}`;
    const notes = [
      flag.default === undefined ? undefined : `default ${flag.default}`,
      flag.env === undefined ? undefined : `env ${flag.env}`,
    ].filter((note) => note !== undefined);
    return `${left.padEnd(32)} ${flag.help}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`;
  });
  return [`Usage: ${program} [flags]`, '', ...lines, `${'  --help'.padEnd(32)} Print this.`].join('\n');
}
