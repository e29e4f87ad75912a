import type { Armed, Failure } from '../record/record.ts';
import type { Facts } from './facts.ts';
import type { Step } from './step.ts';

/** How long the machine may take to go down: units have 90 s to stop by default, and some have more. */
export const REBOOT_WITHIN_MS = 5 * 60_000;

/** The slot is to be armed, or is, and the reboot has not happened yet. */
export function nextRebootStep({ now, monotonicMs, work }: Facts, armed: Armed): Step {
  // Killed while it told the API server: nothing is armed, and if the grant still stands it is told again.
  if (!armed.accepted)
    return { do: 'disarm', why: `it is not known that grant ${armed.grant.id} was accepted` };
  const { rebootAskedAt, held } = work;
  if (rebootAskedAt === undefined) {
    const heldMs = held === undefined ? 0 : held.untilMs - monotonicMs;
    if (now >= Date.parse(armed.grant.notAfter)) return ended(armed, held?.error);
    return heldMs > 0 ? { do: 'idle', why: held?.error.message ?? '', waitMs: heldMs } : { do: 'arm', armed };
  }
  const waitMs = rebootAskedAt + REBOOT_WITHIN_MS - monotonicMs;
  if (waitMs > 0) return { do: 'idle', why: 'the machine is going down', waitMs };
  const message = `the machine did not go down within ${REBOOT_WITHIN_MS / 60_000} minutes; see "systemctl list-jobs" on the node`;
  return { do: 'disarm', why: message, error: { code: 'RebootFailed', message } };
}

/** With the grant ends what it was held back for: the node serves again, and asks anew. */
function ended({ grant }: Armed, error: Failure | undefined): Step {
  const why = `the grant ended at ${grant.notAfter} before the reboot began`;
  return error === undefined ? { do: 'disarm', why } : { do: 'disarm', why, error, held: true };
}
