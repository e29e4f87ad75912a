import type { Boot } from '../boot/recognise.ts';
import { evaluateGate } from '../health/gate.ts';
import type { EngineStatus } from '../slots/engine.ts';
import type { Armed, Failure } from '../record/record.ts';
import type { Facts } from './facts.ts';
import { REBOOT_WITHIN_MS } from './reboot-step.ts';
import type { Step } from './step.ts';

/** Between two rounds of the gate. */
const ROUND_MS = 1000;
/** When the gate is over and there is no slot to go back to: how long a round may take, and until the next. */
const STRANDED_ROUND_MS = 10_000;

/** The armed slot runs and is not good yet. Nothing here asks the API server, but for a check that does. */
export function nextTrialStep(
  facts: Facts,
  engine: EngineStatus,
  { armed, seen }: Extract<Boot, { kind: 'Trial' }>,
): Step {
  const back = canGoBack(engine);
  const verdict = armed.trial?.verdict;
  if (verdict !== undefined && back) return goBack(facts, armed, verdict);
  if (!seen) return { do: 'try', armed };
  const wrong = mislabelled(facts, armed);
  if (wrong !== undefined && back) return goBack(facts, armed, wrong);
  const judged = evaluateGate(armed.gate, facts.work.checks, sinceBootMs(facts, armed));
  switch (judged.verdict) {
    case 'Passed':
      return { do: 'markGood', armed, error: wrong };
    case 'Waiting':
      return { do: 'check', armed, limitMs: judged.remainingMs, waitMs: ROUND_MS };
    case 'Expired': {
      const error: Failure = { code: 'HealthDeadline', message: judged.message };
      return back ? goBack(facts, armed, error) : stay(armed, error);
    }
  }
}

/** Told once, the machine gets the time to go down; then it is told again. There is no way but back. */
function goBack({ monotonicMs, work }: Facts, armed: Armed, error: Failure): Step {
  const asked = work.rebootAskedAt ?? Number.NEGATIVE_INFINITY;
  const waitMs = asked + REBOOT_WITHIN_MS - monotonicMs;
  if (waitMs > 0) return { do: 'idle', why: `going back: ${error.message}`, waitMs };
  return { do: 'fallBack', armed, error };
}

/** Said once; then the checks go on, and end the trial when they pass or when another slot boots again. */
function stay(armed: Armed, { code, message }: Failure): Step {
  if (armed.trial?.stranded !== undefined)
    return { do: 'check', armed, limitMs: STRANDED_ROUND_MS, waitMs: STRANDED_ROUND_MS };
  const why = `${message}; the machine stays, as no other slot boots: have the checks pass, or repair the other slot`;
  return { do: 'strand', armed, error: { code, message: why.slice(0, 1024) } };
}

/** Whether the bootloader would boot another slot if this one were given up (ab-engine.md §2.4). */
export function canGoBack(engine: EngineStatus): boolean {
  return engine.slots.some(
    ({ booted, priority, tries, successful }) => !booted && priority > 0 && (tries > 0 || successful),
  );
}

/** A host without a clock of its own counts from when the agent first saw the boot. */
export function sinceBootMs({ now, uptimeMs }: Facts, armed: Armed): number {
  return uptimeMs ?? now - Date.parse(armed.trial?.since ?? new Date(now).toISOString());
}

/** Why what runs is not what was armed, if it is not. */
export function mislabelled({ host }: Facts, { version }: Armed): Failure | undefined {
  const runs = host.os.version;
  if (runs === version) return undefined;
  const message = `the image that was published as ${version} holds ${runs}; publish it again under its own version`;
  return { code: 'VersionMismatch', message };
}
