import { lstat } from 'node:fs/promises';
import { join } from 'node:path';

/** Where systemd itself looks, and where image-based systems put what is added to them. */
const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/opt/bin'];

/**
 * Absolute path, on the host, of a program that is named like a command. systemd takes nothing but absolute paths
 * from its bus in many versions that are in use. Throws an error that says where was looked.
 */
export async function findProgram(hostRoot: string, name: string): Promise<string> {
  if (name.startsWith('/')) return name;
  if (name === '' || name.includes('/'))
    throw new Error(`"${name}" is neither a command nor an absolute path`);
  for (const directory of PATH) {
    // Not followed: a link of the host may lead elsewhere from in here.
    const found = await lstat(join(hostRoot, directory, name)).catch(() => undefined);
    if (found !== undefined) return join(directory, name);
  }
  throw new Error(`the host has no program "${name}" in ${PATH.join(':')}`);
}
