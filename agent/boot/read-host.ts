import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostFacts } from './host.ts';
import { parseOsRelease } from './os-release.ts';

/** What status takes of a kernel's release, and of everything else (api/node-state.ts); a file may hold anything. */
const LONGEST_KERNEL = 128;
const LONGEST = 64;

/** Reads what runs from a host's root directory. Throws the file system's error when a boot ID or os-release is missing. */
export async function readHostFacts(hostRoot: string): Promise<HostFacts> {
  const bootID = await text(hostRoot, 'proc/sys/kernel/random/boot_id');
  const release = parseOsRelease(await text(hostRoot, 'usr/lib/os-release'));
  const machineID = await optional(hostRoot, 'etc/machine-id');
  const kernel = await optional(hostRoot, 'proc/sys/kernel/osrelease');
  return {
    bootID: bootID.slice(0, LONGEST),
    ...(machineID === undefined ? {} : { machineID: machineID.slice(0, LONGEST) }),
    os: {
      id: (release.get('ID') ?? 'linux').slice(0, LONGEST),
      version: (release.get('VERSION_ID') ?? '0').slice(0, LONGEST),
      ...(kernel === undefined ? {} : { kernel: kernel.slice(0, LONGEST_KERNEL) }),
    },
  };
}

/** Milliseconds since the boot from `proc/uptime`. */
export async function readUptimeMs(hostRoot: string): Promise<number | undefined> {
  const seconds = Number.parseFloat((await optional(hostRoot, 'proc/uptime')) ?? '');
  return Number.isFinite(seconds) ? seconds * 1000 : undefined;
}

async function text(hostRoot: string, path: string): Promise<string> {
  return (await readFile(join(hostRoot, path), 'utf8')).trim();
}

async function optional(hostRoot: string, path: string): Promise<string | undefined> {
  try {
    return await text(hostRoot, path);
  } catch {
    return undefined;
  }
}
