/**
 * Whether `next` is later than `seen`. Resource versions are whole numbers that grow (KEP-5504); anything
 * else cannot be ordered and is taken for new.
 */
export function isNewer(next: string, seen: string): boolean {
  if (!/^[0-9]+$/.test(next) || !/^[0-9]+$/.test(seen)) return true;
  return next.length === seen.length ? next > seen : next.length > seen.length;
}
