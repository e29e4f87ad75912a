import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { slotBits } from './disk.ts';
import { readSlots } from './firmware.ts';
import { withImage, type Medium } from './medium.ts';

/** Puts an image into a slot, as an installer would; the table is left alone. */
export function writeSlot(disk: string, name: 'USR-A' | 'USR-B', image: string): void {
  withImage(disk, (medium) => medium.write(slotNamed(medium, name).offset, readFileSync(image)));
}

/** Sets the attributes of a slot in both tables, with no thought of power cuts: it makes a test's first state. */
export function setSlot(
  disk: string,
  name: 'USR-A' | 'USR-B',
  priority: number,
  tries: number,
  successful: boolean,
): void {
  withImage(disk, (medium) => {
    const { index } = slotNamed(medium, name);
    const last = medium.size - 512;
    editCopy(medium, 512, 1024, index, slotBits(priority, tries, successful));
    editCopy(medium, last, last - 32 * 512, index, slotBits(priority, tries, successful));
  });
}

function slotNamed(medium: Medium, name: string): { index: number; offset: number } {
  const slot = readSlots(medium).find((each) => each.name === name);
  if (slot === undefined) throw new Error(`the disk has no ${name}`);
  return slot;
}

function editCopy(medium: Medium, header: number, entries: number, index: number, bits: number): void {
  const table = medium.read(entries, 16_384);
  table.writeUInt16LE(bits, (index - 1) * 128 + 54);
  const sector = medium.read(header, 512);
  sector.writeUInt32LE(crc32(table), 88);
  sector.writeUInt32LE(0, 16);
  sector.writeUInt32LE(crc32(sector.subarray(0, 92)), 16);
  medium.write(entries, table);
  medium.write(header, sector);
}
