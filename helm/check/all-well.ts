import { setTimeout as sleep } from 'node:timers/promises';
import { AGENT, MIRROR, NODE_CONFIG, OPERATORS } from './parts.ts';
import { agents } from './agents.ts';
import type { Check, Release } from './check.ts';
import { endpoints, OMAHA, PAYLOADS } from './endpoints.ts';
import { leader } from './leader.ts';
import { replicas } from './replicas.ts';
import { served } from './served.ts';

/** A check, with the part that it looks at. */
type PartCheck = readonly [part: string, check: Check];

/** What a release may have or not. */
export interface Extras {
  nodeConfig: boolean;
  mirror: boolean;
  omaha: boolean;
}

/** Every check of a release. */
export function checksOf({ nodeConfig, mirror, omaha }: Extras): readonly PartCheck[] {
  const operators = [...OPERATORS, ...(nodeConfig ? [NODE_CONFIG] : []), ...(mirror ? [MIRROR] : [])];
  const checks: PartCheck[] = [['careen.dev', served], ...operators.flatMap(checksOfOperator)];
  if (mirror) checks.push(['payloads', endpoints('careen-mirror-payloads', PAYLOADS)]);
  if (omaha) checks.push(['Omaha', endpoints('careen-omaha', OMAHA)]);
  return [...checks, [AGENT, agents]];
}

function checksOfOperator(operator: string): PartCheck[] {
  return [
    [operator, replicas(operator)],
    [operator, endpoints(operator)],
    [operator, leader(operator)],
  ];
}

const AGAIN_MS = 1000;

/** Makes every check until it is well or `signal` aborts, tells how each ended, and whether all are well. */
export async function allWell(
  release: Release,
  signal: AbortSignal,
  tell: (line: string) => void,
  checks: readonly PartCheck[],
): Promise<boolean> {
  const outcomes = await Promise.all(
    checks.map(async ([part, check]) => {
      const outcome = await patiently(check, release, signal);
      tell('well' in outcome ? `ok    ${part}: ${outcome.well}` : `FAIL  ${part}: ${outcome.unwell}`);
      return 'well' in outcome;
    }),
  );
  return outcomes.every(Boolean);
}

async function patiently(check: Check, release: Release, signal: AbortSignal) {
  for (;;) {
    const outcome = await check(release).catch((error: Error) => ({ unwell: error.message }));
    if ('well' in outcome || signal.aborted) return outcome;
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}
