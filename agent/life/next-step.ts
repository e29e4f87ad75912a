import { healthGate } from '#api/health.ts';
import { recognise } from '../boot/recognise.ts';
import type { Facts } from './facts.ts';
import { nextRebootStep } from './reboot-step.ts';
import { nextStagingStep } from './staging-step.ts';
import type { Step } from './step.ts';
import { mislabelled, nextTrialStep } from './trial-step.ts';

/**
 * What the agent does next. First it makes sure which boot this is and finishes what the last one began;
 * only then does it look at what is wanted of it. Pure: the same facts give the same step.
 *
 * An update goes through these steps (step.ts), in this order:
 *   stage         staging-step.ts decides, beside.ts does it    the passive slot is written and verified
 *   recheck       staging-step.ts, beside.ts                    read back, once the reboot is granted
 *   accept        grant.ts, accept.ts                           the point of no return
 *   arm           reboot-step.ts, arm.ts                        the slot boots next; the machine goes down
 *   try, check    trial-step.ts, trial.ts                       the first boot, until its gate passes, then
 *   markGood                                                    … it is kept; or at the deadline
 *   fallBack, concludeRolledBack                                … the machine goes back
 * The rest undoes (stop, drop, disarm), refuses (refuse), or finishes what somebody else began (adopt).
 */
export function nextStep(facts: Facts): Step {
  if (facts.engine === undefined) return { do: 'idle', why: 'the machine has no slots that careen knows' };
  const boot = recognise({ bootID: facts.host.bootID, slots: facts.engine.slots, record: facts.record });
  switch (boot.kind) {
    case 'RebootPending':
      return nextRebootStep(facts, boot.armed);
    case 'NeverArmed':
      return { do: 'concludeNeverArmed' };
    case 'Trial':
      return nextTrialStep(facts, facts.engine, boot);
    case 'AlreadyGood':
      return { do: 'markGood', armed: boot.armed, error: mislabelled(facts, boot.armed) };
    case 'FellBack': {
      const { version, from, attempt } = boot.armed;
      return { do: 'concludeRolledBack', version, from, attempt, error: boot.error };
    }
    case 'ManualRollback': {
      const attempt = facts.record.last?.attempt ?? 0;
      return { do: 'concludeRolledBack', version: boot.from.version, attempt, error: boot.error };
    }
    case 'Unproven':
      return {
        do: 'adopt',
        partUUID: boot.partUUID,
        gate: facts.spec?.update?.health ?? healthGate.parse({}),
      };
    case 'Ordinary':
      return nextStagingStep(facts);
  }
}
