import { createHash } from 'node:crypto';

/** An address in 10.<block>.0.0/16 that follows from `seed`; nothing listens there. */
export function addressOf(seed: string, block: number): string {
  const [high = 0, low = 0] = createHash('sha256').update(seed).digest();
  return `10.${block}.${high}.${low}`;
}
