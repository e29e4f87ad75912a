import { ConfigError } from '../config-error.ts';
import type { KernelArguments } from './kernel-arguments.ts';

/** For a host whose boot loader careen does not know. */
export const noKernelArguments: KernelArguments = {
  async plan(owned, { add, remove }) {
    if (add.length + remove.length + owned.added.length + owned.removed.length === 0) return undefined;
    const message =
      'this host has neither boot entries in /boot/loader/entries nor a grub.cfg of CoreOS’s: set its kernel arguments where its boot loader keeps them';
    throw new ConfigError('KernelArguments', message);
  },
  prepare: async () => undefined,
  write: async () => undefined,
  undo: async () => undefined,
  forget: async () => undefined,
  undoScript: async () => [],
};
