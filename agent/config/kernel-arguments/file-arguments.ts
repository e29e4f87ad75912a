import { readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { pathOnHost } from '#agent/boot/path-on-host.ts';
import { replaceFile, syncDirectory } from '#agent/record/replace-file.ts';
import { configErrorOf } from '../config-error.ts';
import { changeArguments } from './change-arguments.ts';
import type { CommandLine } from './command-line.ts';
import type { ArgumentsOwned, ArgumentsPlan, ArgumentsWanted, KernelArguments } from './kernel-arguments.ts';
import { shellQuoted } from '../shell-quoted.ts';

const keptSchema = z.array(z.object({ path: z.string(), before: z.string(), after: z.string() }));

export interface FileArgumentsOptions {
  /** Where the host's root directory is mounted. */
  root: string;
  stateDir: string;
  /** Files with a command line, on the host. */
  paths: readonly string[];
  format: CommandLine;
}

/**
 * Command lines that stand in files of the boot loader. Each file is replaced as a whole, and what it was is kept in
 * the state directory until the change counts.
 */
export class FileArguments implements KernelArguments {
  readonly #options: FileArgumentsOptions;
  readonly #kept: string;

  constructor(options: FileArgumentsOptions) {
    this.#options = options;
    this.#kept = join(options.stateDir, 'kernel-arguments');
  }

  async plan(owned: ArgumentsOwned, wanted: ArgumentsWanted): Promise<ArgumentsPlan | undefined> {
    const { paths, format } = this.#options;
    const files: ArgumentsPlan['files'] = [];
    const after: ArgumentsOwned = { added: [], removed: [] };
    for (const path of paths) {
      const before = await this.#reading(path, () => readFile(this.#at(path), 'utf8'));
      const changed = changeArguments(format.read(before), owned, wanted);
      after.added = [...new Set([...after.added, ...changed.owned.added])];
      after.removed = [...new Set([...after.removed, ...changed.owned.removed])];
      if (changed.line === format.read(before)) continue;
      files.push({ path, before, after: format.write(before, changed.line) });
    }
    return files.length === 0 ? undefined : { files, owned: after };
  }

  async prepare({ files }: ArgumentsPlan): Promise<void> {
    await this.forget();
    for (const [index, { before }] of files.entries())
      await replaceFile(join(this.#kept, String(index)), before, 0o600);
    await replaceFile(join(this.#kept, 'files.json'), JSON.stringify(files));
  }

  async write(): Promise<void> {
    for (const { path, after } of await this.#files()) await this.#replace(path, after);
  }

  async undo(): Promise<void> {
    for (const { path, before } of await this.#files()) await this.#replace(path, before);
  }

  async forget(): Promise<void> {
    await rm(this.#kept, { recursive: true, force: true });
    await syncDirectory(dirname(this.#kept));
  }

  async undoScript(): Promise<string[]> {
    const kept = pathOnHost(this.#options.root, this.#kept);
    return (await this.#files()).map(({ path }, index) => {
      const [from, to, fresh] = [`${kept}/${index}`, path, `${path}.new`].map((name) => shellQuoted(name));
      return `[ ! -e ${from} ] || { cp ${from} ${fresh} && sync && mv -f ${fresh} ${to}; }`;
    });
  }

  async #files(): Promise<z.infer<typeof keptSchema>> {
    const text = await readFile(join(this.#kept, 'files.json'), 'utf8').catch(() => '[]');
    return keptSchema.parse(JSON.parse(text));
  }

  async #replace(path: string, text: string): Promise<void> {
    await this.#reading(path, async () => {
      const { mode } = await stat(this.#at(path));
      await replaceFile(this.#at(path), text, mode & 0o777);
    });
  }

  async #reading<T>(path: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw configErrorOf(error, 'changing the kernel arguments in', path);
    }
  }

  #at(path: string): string {
    return join(this.#options.root, path);
  }
}
