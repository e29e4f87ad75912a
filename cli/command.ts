import { FlagError, parseCommandLine, type Flags, type FlagValues } from '#runtime/flags/flags.ts';
import { accessFlags, openCluster, type ClusterAccess } from './access.ts';

/** What a command is given. */
export interface CommandInput<F extends Flags> {
  /** Words beside the flags, such as names of nodes. */
  words: string[];
  flags: FlagValues<F>;
  /** The cluster; undefined for a command that needs none. */
  cluster: ClusterAccess;
  /** Writes a line, or several. */
  print: (text: string) => void;
  /** Says something to the person that is not the answer: warnings, what was refused. */
  warn: (text: string) => void;
}

/** One verb. */
export interface Command {
  /** Words after the verb, for the help: `[NODE...]`. */
  words: string;
  /** What it is for, in a sentence. */
  help: string;
  /** Runs it; the exit status. */
  run(name: string, argv: readonly string[]): Promise<number>;
}

/** Verbs by name, under one noun. */
export type Commands = Record<string, Command>;

interface Definition<F extends Flags> {
  words: string;
  /** How many words it takes. */
  count: { min: number; max: number };
  help: string;
  flags: F;
  act: (input: CommandInput<F>) => Promise<number | void>;
}

/** A verb of the command line: reads its flags, opens the cluster, and ends what it opened. */
export function command<F extends Flags>({ words, count, help, flags, act }: Definition<F>): Command {
  const all = { ...flags, ...accessFlags };
  return {
    words,
    help,
    run: async (name, argv) => {
      const { values, words: given } = parseCommandLine(`${name} ${words}`.trim(), all, argv);
      if (given.length < count.min || given.length > count.max)
        throw new FlagError('usage', `it takes ${words === '' ? 'no words' : words} (--help tells more)`);
      const cluster = openCluster(values);
      try {
        const status = await act({
          words: given,
          flags: values,
          cluster,
          print: (text) => process.stdout.write(`${text}\n`),
          warn: (text) => process.stderr.write(`${text}\n`),
        });
        return status ?? 0;
      } finally {
        await cluster.close();
      }
    },
  };
}
