import type { Changes } from '../books/books.ts';

/** By how many machines the store grew. */
export function growth({ machines }: Changes): number {
  const signs = machines.map(
    ({ before, after }) => Number(after !== undefined) - Number(before !== undefined),
  );
  return signs.reduce((sum, sign) => sum + sign, 0);
}
