import { existsSync, globSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { hierarchies, isUnified } from './control-groups.ts';
import { tool } from './tool.ts';

/** All that this computer shows of a fleet with this directory: processes, loop devices, control groups, mounts. */
export async function tracesOf(directory: string): Promise<string[]> {
  const id = basename(directory);
  const groups = (await isUnified()) ? ['/sys/fs/cgroup'] : await hierarchies();
  return [
    ...processesOf(id),
    ...lines(await tool('losetup', ['-l', '-n', '-O', 'NAME,BACK-FILE']), id),
    ...groups.flatMap((group) => entries(group, id)),
    ...lines(readFileSync('/proc/self/mountinfo', 'utf8'), id),
    ...entries(join(directory, '..'), id),
  ];
}

/**
 * Which of the loop devices that a fleet had are still there, now that it is gone. The number of one that it gave back
 * may be another fleet's by now: every fleet lists what it has had, in its own directory or in that of its program.
 */
export function devicesLeft(devices: readonly string[]): string[] {
  const left = devices.filter(existsSync);
  const ledgers = ['careen-nodes-*/loops', 'careen-*/careen-nodes-*/loops'];
  const others = ledgers.flatMap((pattern) => globSync(join(tmpdir(), pattern))).map(textOf);
  return left.filter((device) => !others.some((ledger) => ledger.split('\n').includes(device)));
}

/** What a node must not change, for it is the whole computer's. */
export function computerWide(): Record<string, string> {
  const keys = [
    'vm/overcommit_memory',
    'vm/panic_on_oom',
    'kernel/panic',
    'kernel/panic_on_oops',
    'kernel/hostname',
  ];
  const values = keys.map((key) => [key, readFileSync(`/proc/sys/${key}`, 'utf8')] as const);
  return {
    ...Object.fromEntries(values),
    links: readdirSync('/sys/class/net').toSorted().join(' '),
    devices: readdirSync('/dev')
      .filter((name) => !name.startsWith('loop'))
      .toSorted()
      .join(' '),
    network: readlinkSync('/proc/self/ns/net'),
    forwarding: readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8'),
  };
}

/** By their control group, or by a path of the fleet among their arguments. */
function processesOf(id: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/u.test(pid) || Number(pid) === process.pid) return false;
    try {
      const texts = ['cgroup', 'cmdline'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8'));
      return texts.some((text) => text.includes(id));
    } catch {
      return false; // it has ended
    }
  });
}

/** Nothing, where its fleet has gone meanwhile. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function entries(directory: string, id: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith(id));
}

function lines(text: string, id: string): string[] {
  return text.split('\n').filter((line) => line.includes(id));
}
