import { FirmwareError, readSlots } from './firmware.ts';
import type { SlotState } from './machine.ts';
import { readImage } from './medium.ts';

/** The slots of a disk image; a disk whose tables are both torn has none to show. */
export function slotStates(disk: string): SlotState[] {
  try {
    return readImage(disk, readSlots).map(({ name, priority, tries, successful }) => {
      return { name, priority, tries, successful };
    });
  } catch (error) {
    if (error instanceof FirmwareError) return [];
    throw error;
  }
}
