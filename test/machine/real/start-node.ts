import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FirmwareSlot } from '../firmware.ts';
import type { AttachedDisk } from './attached-disk.ts';
import { isUnified } from './control-groups.ts';
import type { RealMachineOptions } from './real-machine-options.ts';
import { RunningNode } from './running-node.ts';

/** One boot of a machine, before anything of it runs. */
export interface BootPlan {
  slot: FirmwareSlot;
  bootID: string;
  disk: AttachedDisk;
}

/** Jumps into the kernel of a slot, so to say. */
export async function startNode(options: RealMachineOptions, plan: BootPlan): Promise<RunningNode> {
  const { identity, directory, parts, group, imagesDirectory, within } = options;
  const { slot, bootID, disk } = plan;
  await writeFile(join(directory, 'boot_id'), `${bootID}\n`);
  await writeFile(join(directory, 'cmdline'), `${await commandLine(slot.partuuid)}\n`);
  const environment = {
    NODE: identity.name,
    CGROUP: group,
    DISK: disk.name,
    USR: disk.partition(slot.index),
    ROOT: disk.partition(9),
    ENTRY: slot.name.toLowerCase(),
    PROGRAMS: parts.bin,
    CNI: parts.cni,
    KUBELET: parts.kubelet,
    IMAGES: imagesDirectory,
  };
  return RunningNode.start({ directory, environment, within });
}

/**
 * What the boot loader says of itself, as on CoreOS; the words of its entry come after. Those about cgroups are for
 * newer systemd, which wants to be urged to use v1.
 */
async function commandLine(partuuid: string): Promise<string> {
  const legacy = ['systemd.unified_cgroup_hierarchy=0', 'SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1'];
  const words = [
    'BOOT_IMAGE=/flatcar/vmlinuz',
    `mount.usr=PARTUUID=${partuuid}`,
    'mount.usrflags=ro',
    ...((await isUnified()) ? [] : legacy),
  ];
  return words.join(' ');
}
