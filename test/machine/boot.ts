import { setTimeout as sleep } from 'node:timers/promises';
import { bootDisk } from './boot-disk.ts';
import type { FirmwareSlot } from './firmware.ts';
import { BEHAVIOURS, osRelease, readImageFile, type Behaviour } from './os-image.ts';
import { osVersion } from './os-version.ts';

/** What came up: the text of its os-release, and the slot it was booted from if the machine has slots. */
export interface System {
  slot: FirmwareSlot | undefined;
  osRelease: string;
  version: string;
  /** False: kubelet and pods run, the node never gets Ready. */
  healthy: boolean;
}

export interface BootTimes {
  /** From the jump into the kernel to the kubelet's start, in milliseconds. */
  bootMs: number;
  /** From a kernel that cannot be loaded to the reset. */
  resetMs: number;
  /** From a hang to the reset by the watchdog. */
  watchdogMs: number;
}

/**
 * From power-on until a system is up: bootloader, kernel, and again after each reset, exactly as long as the disk
 * says. Undefined when the bootloader finds nothing to boot (the machine then stands there). Rejects on abort.
 */
export async function bootUp(
  disk: string,
  times: BootTimes,
  power: AbortSignal,
): Promise<System | undefined> {
  for (;;) {
    const slot = bootDisk(disk);
    if (slot === undefined) return undefined;
    const release = await readImageFile(disk, slot.offset, 'lib/os-release');
    const behaviour = release === undefined ? 'no-boot' : await behaviourOf(disk, slot);
    await sleep(durationOf(behaviour, times), undefined, { signal: power });
    if (release !== undefined && (behaviour === 'ok' || behaviour === 'unhealthy')) {
      return { slot, osRelease: release, version: osVersion(release) ?? '', healthy: behaviour === 'ok' };
    }
  }
}

/** What a machine without OS slots runs: always the same. */
export function disklessSystem(version: string): System {
  return { slot: undefined, osRelease: osRelease(version), version, healthy: true };
}

/** A slot whose marker cannot be read holds half an image or another's: nothing that boots. */
async function behaviourOf(disk: string, slot: FirmwareSlot): Promise<Behaviour> {
  const marker = (await readImageFile(disk, slot.offset, 'lib/careen-test/behaviour'))?.trim();
  return BEHAVIOURS.find((behaviour) => behaviour === marker) ?? 'no-boot';
}

function durationOf(behaviour: Behaviour, times: BootTimes): number {
  if (behaviour === 'no-boot') return times.resetMs;
  return behaviour === 'hang' ? times.watchdogMs : times.bootMs;
}
