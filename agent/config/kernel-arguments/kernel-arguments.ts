/** What is asked of the kernel's command line. */
export interface ArgumentsWanted {
  add: readonly string[];
  remove: readonly string[];
}

/** What careen has done to it. */
export interface ArgumentsOwned {
  added: string[];
  removed: string[];
}

/** What is to be written, and what careen owns then. */
export interface ArgumentsPlan {
  files: { path: string; before: string; after: string }[];
  owned: ArgumentsOwned;
}

/** The kernel's command line of the next boots, where this host's boot loader keeps it. */
export interface KernelArguments {
  /** Reads only; undefined: nothing changes. Throws `ConfigError` KernelArguments where there is no known boot loader. */
  plan(owned: ArgumentsOwned, wanted: ArgumentsWanted): Promise<ArgumentsPlan | undefined>;
  /** Keeps what is there, for `undo`, and returns once that would survive a power cut. */
  prepare(plan: ArgumentsPlan): Promise<void>;
  /** Writes what was prepared; may be repeated. */
  write(): Promise<void>;
  /** Puts back what `prepare` has kept; may be repeated. */
  undo(): Promise<void>;
  /** What was kept is needed no more. */
  forget(): Promise<void>;
  /** Lines of a POSIX shell script of the host that do what `undo` does. */
  undoScript(): Promise<string[]>;
}
