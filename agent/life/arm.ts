import { RebootError } from '../boot/host.ts';
import type { AgentRecord, Armed, Failure } from '../record/record.ts';
import { rebootFailed, withoutArmed } from '../record/transitions.ts';
import { SlotError } from '../slots/slot-error.ts';
import { instant, save } from './context.ts';
import type { Context } from './context.ts';
import { failureOf } from './fault.ts';

/** How many boots an armed slot gets: one, and one more should the power fail in the first (ab-engine.md §2.4). */
export const TRIES = 2;

/** Makes the slot the next to boot and asks for the reboot; a machine that refuses is made as it was. */
export async function arm(armed: Armed, context: Context): Promise<AgentRecord> {
  const { parts, engine, facts, work } = context;
  try {
    await engine.arm(TRIES);
    parts.log.info('rebooting', { version: armed.version, from: armed.from, grant: armed.grant.id });
    await parts.host.reboot();
    work.rebootAskedAt = parts.monotonicMs();
    return facts.record;
  } catch (error) {
    if (!(error instanceof SlotError) && !(error instanceof RebootError)) throw error;
    parts.log.error('the reboot is off', { error });
    return disarm(failureOf(error), context);
  }
}

/** The armed slot is unselectable again; only then does the record forget it. */
export async function disarm(error: Failure | undefined, context: Context): Promise<AgentRecord> {
  const { engine, facts, work } = context;
  await engine.disarm();
  delete work.rebootAskedAt;
  const { record } = facts;
  return save(
    context,
    error === undefined ? withoutArmed(record) : rebootFailed(record, error, instant(context)),
  );
}
