import type { NodeConfigSpec } from '#api/node-config.ts';
import type { Claim } from './claim.ts';

export type Drift = NodeConfigSpec['drift'];

const STRICTNESS = ['Ignore', 'Report', 'Heal'] as const satisfies Drift[];

/** Of things that several configs share: what the strictest of the owners asks for. */
export function driftOf(
  claims: readonly (Claim<unknown> & { drift: Drift })[],
  key: string,
  owners: readonly string[],
): Drift {
  return strictest(claims.filter((claim) => claim.key === key && owners.includes(claim.owner)));
}

export function strictest(all: readonly { drift: Drift }[]): Drift {
  if (all.length === 0) return 'Heal';
  return STRICTNESS[Math.max(...all.map(({ drift }) => STRICTNESS.indexOf(drift)))] ?? 'Heal';
}
