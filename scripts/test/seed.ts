/** Any one will do, as long as it stays the same. */
const SEED_OF_CI = 1;

/**
 * The seed of what tests choose at random, an integer of 32 bits: `CAREEN_SEED` if it is set, and always the same one
 * with `CI`, so that a commit is judged by itself and not by luck. Otherwise none: each run chooses anew.
 */
export function seedOf(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const { CAREEN_SEED: chosen = '', CI = '' } = env;
  if (chosen !== '') return integer(chosen);
  return CI === '' || CI === 'false' ? undefined : SEED_OF_CI;
}

function integer(text: string): number {
  const seed = Number(text);
  if (seed === (seed | 0)) return seed;
  throw new Error(`CAREEN_SEED is '${text}', but must be an integer of 32 bits`);
}

/** One that was not used before, in all likelihood. */
export function newSeed(): number {
  return Math.floor(Math.random() * 2 ** 32) | 0;
}
