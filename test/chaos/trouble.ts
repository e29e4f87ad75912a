import { setTimeout as sleep } from 'node:timers/promises';

/** One kind of mischief; resolves when it has been undone. */
export interface Mischief {
  name: string;
  /** How often it is chosen, relative to the others. */
  weight: number;
  make(): Promise<void> | void;
}

/** Makes trouble of random kinds at random times until `signal` aborts; gives what it made. */
export async function makeTrouble(
  kinds: readonly Mischief[],
  random: () => number,
  signal: AbortSignal,
): Promise<string[]> {
  const made: string[] = [];
  while (!signal.aborted) {
    await sleep(300 + random() * 1500, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const mischief = choose(kinds, random());
    made.push(mischief.name);
    await mischief.make();
  }
  return made;
}

function choose(kinds: readonly Mischief[], share: number): Mischief {
  let left = share * kinds.reduce((sum, { weight }) => sum + weight, 0);
  for (const kind of kinds) {
    left -= kind.weight;
    if (left < 0) return kind;
  }
  throw new RangeError('no mischief to choose from');
}

/** `a ×3, b ×1` */
export function tally(made: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of made) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${name} ×${count}`).join(', ');
}
