import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { bootEntry, oemGrub } from './command-line.ts';
import { FileArguments } from './file-arguments.ts';
import type { KernelArguments } from './kernel-arguments.ts';
import { noKernelArguments } from './none.ts';

/** Where boot entries are, by the Boot Loader Specification: XBOOTLDR first, then the ESP. */
const ENTRIES = ['/boot/loader/entries', '/efi/loader/entries', '/boot/efi/loader/entries'];
const OEM = ['/oem/grub.cfg', '/usr/share/oem/grub.cfg'];

/**
 * The way to this host's kernel arguments. Every entry gets them: the one that boots next, and the one that the
 * machine goes back to.
 */
export async function kernelArgumentsOf(host: { root: string; stateDir: string }): Promise<KernelArguments> {
  for (const directory of ENTRIES) {
    const names = await readdir(join(host.root, directory)).catch((): string[] => []);
    const paths = names.filter((name) => name.endsWith('.conf')).map((name) => join(directory, name));
    if (paths.length > 0) return new FileArguments({ ...host, paths: paths.toSorted(), format: bootEntry });
  }
  for (const path of OEM) {
    const found = await stat(join(host.root, path)).catch(() => undefined);
    if (found?.isFile()) return new FileArguments({ ...host, paths: [path], format: oemGrub });
  }
  return noKernelArguments;
}
