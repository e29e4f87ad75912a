import { readlink, stat } from 'node:fs/promises';
import { ConfigError } from '../config-error.ts';
import type { Directory } from './directory.ts';
import type { HostTree } from './host-tree.ts';
import type { Mount } from './mount-info.ts';
import { mountOf } from './mount-of.ts';

/** Where a file system in memory usually lies; what is written there is gone after a reboot. */
const VOLATILE = /^\/(run|tmp|dev\/shm)(\/|$)/;

/**
 * Refuses a directory in which nothing can be written for good: a read-only one, one in memory, an overlay that
 * another program swaps. Throws `ReadOnly` or `Unsupported`.
 */
export async function checkWritable(tree: HostTree, directory: Directory): Promise<void> {
  const mount = await mountOf(tree, directory);
  const why = mount && faultOfMount(mount, await isOnRoot(tree, directory));
  if (why === undefined) return;
  const { path } = directory;
  throw new ConfigError(why.code, `${path} ${why.message}`, { path });
}

/** A host whose root is in memory loses the agent's own state with it, and is set up anew at each boot. */
async function isOnRoot(tree: HostTree, directory: Directory): Promise<boolean> {
  return (await stat(tree.root)).dev === (await directory.handle.stat()).dev;
}

type MountFault = { code: 'ReadOnly' | 'Unsupported'; message: string };

/** What keeps a mount from taking files that last as long as the host's root does. */
export function faultOfMount(mount: Mount, onRoot: boolean): MountFault | undefined {
  return (onRoot ? undefined : volatility(mount)) ?? readOnlyFault(mount);
}

function readOnlyFault({ readOnly }: Mount): MountFault | undefined {
  return readOnly ? { code: 'ReadOnly', message: 'is mounted read-only: make it writable' } : undefined;
}

function volatility({ fsType, superOptions }: Mount): MountFault | undefined {
  if (fsType === 'tmpfs' || fsType === 'ramfs')
    return unsupported('is in memory: what is written there is lost at the next reboot');
  if (fsType !== 'overlay') return undefined;
  const upper = superOptions.find((option) => option.startsWith('upperdir='))?.slice('upperdir='.length);
  if (upper === undefined) return unsupported('is an overlay that takes no files (as of systemd-confext)');
  if (!VOLATILE.test(upper)) return undefined;
  return unsupported(`is an overlay in memory (${upper}): what is written there is lost at the next reboot`);
}

function unsupported(message: string): MountFault {
  return { code: 'Unsupported', message };
}

/** Refuses a link that NixOS makes: the next rebuild would put it back. Throws `Unsupported`. */
export async function checkNotGenerated(directory: Directory, name: string): Promise<void> {
  const target = await readlink(directory.at(name)).catch(() => '');
  if (!target.startsWith('/etc/static/') && !target.startsWith('/nix/store/')) return;
  const path = `${directory.path}/${name}`;
  throw new ConfigError('Unsupported', `${path} is made by NixOS: declare it there`, { path });
}
