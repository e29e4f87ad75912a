import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SlotError, slotErrorOf } from '../slot-error.ts';
import { openMedium } from '../file-medium.ts';
import { deviceNode } from './device-node.ts';
import { readTable } from './read.ts';

const KEYS = ['mount.usr', 'verity.usr', 'usr', 'root'];

/** PARTUUID of the slot that runs, from the kernel's command line; `NoSlots` if it names none. */
export async function runningPartUUID(hostRoot: string): Promise<string> {
  const path = join(hostRoot, 'proc', 'cmdline');
  const cmdline = await readFile(path, 'utf8').catch((error: unknown) => {
    throw slotErrorOf(error, `reading ${path}`);
  });
  const uuid = partUUIDOf(cmdline);
  if (uuid) return uuid;
  throw new SlotError(
    'NoSlots',
    'the kernel command line names no slot (mount.usr=PARTUUID=…); nothing to update',
  );
}

/** The PARTUUID that /usr or else / is mounted from; of a repeated word the last counts, as in the kernel. */
export function partUUIDOf(cmdline: string): string | undefined {
  const words = cmdline.trim().split(/\s+/).toReversed();
  for (const key of KEYS) {
    const word = words.find((word) => word.startsWith(`${key}=`));
    const uuid = /=PARTUUID=([0-9a-f-]{36})$/i.exec(word ?? '')?.[1];
    if (uuid) return uuid.toLowerCase();
  }
  return undefined;
}

/**
 * The disk that holds the running slot: the one disk of the host whose table has its PARTUUID. Every disk is
 * looked at, as clones of a disk carry the same PARTUUIDs: none or more than one is `WrongDisk`.
 */
export async function findDisk(hostRoot: string): Promise<{ disk: string; running: string }> {
  const running = await runningPartUUID(hostRoot);
  const names = await readdir(join(hostRoot, 'sys', 'block')).catch((error: unknown) => {
    throw slotErrorOf(error, 'listing the disks');
  });
  const found: string[] = [];
  for (const name of names) {
    const path = await diskNode(hostRoot, name);
    if (path !== undefined && (await holds(path, running))) found.push(path);
  }
  const [disk, ...others] = found;
  if (disk === undefined)
    throw new SlotError('WrongDisk', `no disk has a partition ${running}; name it with --disk`);
  if (others.length > 0) {
    throw new SlotError(
      'WrongDisk',
      `${found.join(' and ')} both have a partition ${running}; name one with --disk`,
    );
  }
  return { disk, running };
}

/** Node of the disk that /sys lists as `name`; a list without device numbers is taken at its word. */
async function diskNode(hostRoot: string, name: string): Promise<string | undefined> {
  const path = join(hostRoot, 'dev', name.replaceAll('!', '/'));
  const number = await readFile(join(hostRoot, 'sys', 'block', name, 'dev'), 'utf8').catch(() => undefined);
  return number === undefined ? path : deviceNode(path, number.trim());
}

/** Whatever cannot be read, or has no table, is not the disk. */
async function holds(path: string, partUUID: string): Promise<boolean> {
  try {
    const medium = await openMedium(path, { writable: false });
    try {
      const { table } = await readTable(medium);
      return table.partitions.some(({ uuid }) => uuid === partUUID);
    } finally {
      await medium.close();
    }
  } catch {
    return false;
  }
}
