import { noKernelArguments } from './none.ts';
import type { KernelArguments } from './kernel-arguments.ts';

/** The way to this host's kernel arguments. */
export async function kernelArgumentsOf(_: { root: string; stateDir: string }): Promise<KernelArguments> {
  return noKernelArguments;
}
