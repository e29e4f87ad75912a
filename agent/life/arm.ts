import { durationMs } from '#api/fields.ts';
import { RebootError } from '../boot/host.ts';
import type { AgentRecord, Armed, Failure } from '../record/record.ts';
import { rebootFailed, rebootHeld, withoutArmed } from '../record/transitions.ts';
import { SlotError } from '../slots/slot-error.ts';
import { instant, save } from './context.ts';
import type { Context } from './context.ts';
import { failureOf } from './fault.ts';

/** How many boots an armed slot gets: one, and one more should the power fail in the first (ab-engine.md §2.4). */
export const TRIES = 2;

/** How often a machine that somebody keeps from rebooting is asked again. */
const HELD_MS = 10_000;

/** Makes the slot the next to boot and asks for the reboot; a machine that refuses is made as it was. */
export async function arm(armed: Armed, context: Context): Promise<AgentRecord> {
  const { parts, engine, facts, work } = context;
  const { partUUID, gate } = armed;
  try {
    // First, as nobody could arm it any more once the machine goes down; in the slot that runs now it is inert.
    await parts.host.deadman.arm({ partUUID, judgedMs: durationMs(gate.deadline), tries: TRIES });
    // That took its time: the grant is looked at again.
    if (parts.now() >= Date.parse(armed.grant.notAfter)) return facts.record;
    await engine.arm(TRIES);
    parts.log.info('rebooting', { version: armed.version, from: armed.from, grant: armed.grant.id });
    await parts.host.reboot();
    delete work.held;
    work.rebootAskedAt = parts.monotonicMs();
    return facts.record;
  } catch (error) {
    if (error instanceof RebootError && error.code === 'Inhibited') return hold(error, context);
    if (!(error instanceof SlotError) && !(error instanceof RebootError)) throw error;
    parts.log.error('the reboot is off', { error });
    return disarm({ error: failureOf(error) }, context);
  }
}

/** Whoever keeps the machine from rebooting may let go while the grant stands; the slot stays armed meanwhile. */
async function hold(error: RebootError, { parts, facts, work }: Context): Promise<AgentRecord> {
  if (work.held === undefined) parts.log.warn('the reboot waits', { reason: error.message });
  work.held = { error: failureOf(error), untilMs: parts.monotonicMs() + HELD_MS };
  return facts.record;
}

interface Off {
  error?: Failure | undefined;
  /** The machine did not refuse, it was kept from it. */
  held?: boolean | undefined;
}

/** The armed slot is unselectable again; only then does the record forget it. */
export async function disarm({ error, held }: Off, context: Context): Promise<AgentRecord> {
  const { parts, engine, facts, work } = context;
  await engine.disarm();
  await parts.host.deadman.disarm();
  delete work.rebootAskedAt;
  delete work.held;
  const { record } = facts;
  if (error === undefined) return save(context, withoutArmed(record));
  return save(context, (held === true ? rebootHeld : rebootFailed)(record, error, instant(context)));
}
