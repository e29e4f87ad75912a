import { slotsOf, withMarks, type Table } from './table.ts';
import type { Partition } from './partition.ts';

/**
 * The slot that the bootloader would choose now, by the rule of CoreOS's GRUB (`gptprio.next`): the highest
 * priority among those that are successful or have tries left; the first of equals; priority 0 never.
 */
export function nextSlot(table: Table): Partition | undefined {
  let best: Partition | undefined;
  for (const slot of slotsOf(table)) {
    if ((slot.tries > 0 || slot.successful) && slot.priority > (best?.priority ?? 0)) best = slot;
  }
  return best;
}

/** The slot that it would choose if the first choice were given up. */
export function fallbackSlot(table: Table): Partition | undefined {
  const best = nextSlot(table);
  return best && nextSlot(withMarks(table, best.number, { priority: 0, tries: 0, successful: false }));
}
