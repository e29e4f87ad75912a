/** Numbers of the GUID partition table, UEFI 2.10 §5.3, for sectors of 512 bytes. */
export const SECTOR = 512;
export const ENTRY_SIZE = 128;
export const PRIMARY_LBA = 1;
/** Where the entries of the primary copy begin; with the header they lie in the disk's first 4 KiB. */
export const PRIMARY_ENTRIES_LBA = 2;
/** The unit of the one write that commits the primary copy: entries 1–24 are in it. */
export const BLOCK = 4096;
export const MAX_ENTRIES_BYTES = 1024 * 1024;

/** Type of the partitions that CoreOS and its heirs boot /usr from. */
export const USR_TYPE = '5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6';

/** Sectors that an array of `count` entries takes. */
export function entrySectors(count: number): number {
  return Math.ceil((count * ENTRY_SIZE) / SECTOR);
}
