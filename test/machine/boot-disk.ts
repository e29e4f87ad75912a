import { bootNext, FirmwareError, type FirmwareSlot } from './firmware.ts';
import { withImage } from './medium.ts';

/** What the firmware does with a disk at power-on: chooses a slot and counts the try; undefined: it finds none. */
export function bootDisk(disk: string): FirmwareSlot | undefined {
  try {
    return withImage(disk, bootNext);
  } catch (error) {
    if (error instanceof FirmwareError) return undefined;
    throw error;
  }
}
