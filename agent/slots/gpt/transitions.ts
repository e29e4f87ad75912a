import { SlotError } from '../slot-error.ts';
import { fallbackSlot, nextSlot } from './choose.ts';
import type { Partition } from './partition.ts';
import { slotsOf, withMarks, type Marks, type Table } from './table.ts';

/**
 * What is done to the marks of the slots, as functions from a table to a table. Slots are given by their
 * partition number. The top slot has priority 2, the one behind it 1 and an unselectable one 0.
 * None of them makes a table from which nothing would boot: they throw `NoSlots` instead.
 */
const UNSELECTABLE: Marks = { priority: 0, tries: 0, successful: false };

/** `slot` is never chosen; to be done before its first byte is overwritten. */
export function cleared(table: Table, slot: number): Table {
  return bootable(withMarks(table, slot, UNSELECTABLE), `clearing ${nameOf(table, slot)}`);
}

/** `slot` is the next to boot, `tries` times (1–15); another one stays behind it to fall back to. */
export function armed(table: Table, slot: number, tries: number): Table {
  if (!Number.isInteger(tries) || tries < 1 || tries > 15) {
    throw new RangeError(`a slot is armed for 1 to 15 tries, not ${tries}`);
  }
  const result = withMarks(behind(table, slot), slot, { priority: 2, tries, successful: false });
  if (fallbackSlot(result) === undefined) throw noSlots(`arming ${nameOf(table, slot)}`);
  return result;
}

/** `slot` has proved itself: it is first from now on. */
export function markedGood(table: Table, slot: number): Table {
  return withMarks(behind(table, slot), slot, { priority: 2, tries: 0, successful: true });
}

/** `slot` is unselectable and the best of the others is first: `armed` undone, or a failed slot given up. */
export function disarmed(table: Table, slot: number): Table {
  const result = cleared(table, slot);
  const best = nextSlot(result);
  return best ? withMarks(behind(result, best.number), best.number, { ...best, priority: 2 }) : result;
}

/** Every slot but `slot` that can be chosen at all at priority 1. */
function behind(table: Table, slot: number): Table {
  let result = table;
  for (const other of slotsOf(table)) {
    if (other.number === slot || other.priority <= 1) continue;
    result = withMarks(result, other.number, { ...other, priority: 1 });
  }
  return result;
}

function bootable(table: Table, action: string): Table {
  if (nextSlot(table) === undefined) throw noSlots(action);
  return table;
}

function noSlots(action: string): SlotError {
  return new SlotError(
    'NoSlots',
    `${action} would leave no other slot that boots; mark the running slot good first, or repair the other one`,
  );
}

function nameOf(table: Table, slot: number): string {
  const partition: Partition | undefined = slotsOf(table).find(({ number }) => number === slot);
  if (!partition) throw new SlotError('NoSlots', `partition ${slot} is not a slot`);
  return partition.name;
}
