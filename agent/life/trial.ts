import { probeAll } from '../health/probe.ts';
import type { AgentRecord, Failure } from '../record/record.ts';
import { kept, rolledBack, stranded, succeeded, withVerdict } from '../record/transitions.ts';
import { TRIES } from './arm.ts';
import { healthOf, instant, save } from './context.ts';
import type { Context, Do } from './context.ts';

/** One round of the gate. */
export async function check({ armed, limitMs }: Do<'check'>, context: Context): Promise<AgentRecord> {
  const { parts, facts, signal, work } = context;
  const targets = {
    node: (timed: AbortSignal) => parts.api.node(timed),
    run: (argv: readonly string[], timed: AbortSignal, ms: number) => parts.host.run(argv, timed, ms),
    bootID: facts.host.bootID,
  };
  work.checks = await probeAll(armed.gate.checks, targets, limitMs, signal, work.checks);
  return facts.record;
}

/** The verdict is written down before the slot is given up: after the next boot nobody else knows it. */
export async function fallBack({ armed, error }: Do<'fallBack'>, context: Context): Promise<AgentRecord> {
  const { parts, engine, facts, work } = context;
  const record = await save(context, withVerdict(facts.record, armed, error, healthOf(work)));
  parts.log.warn('going back', { version: armed.version, to: armed.from, reason: error.message });
  await engine.fallBack();
  // It is judged: who keeps the machine from rebooting now is asked, not overruled.
  await parts.host.deadman.disarm();
  await parts.host.reboot();
  work.rebootAskedAt = parts.monotonicMs();
  return record;
}

/** What runs is kept, also when it is another version than was asked for and there is no way back from it. */
export async function markGood({ armed, error }: Do<'markGood'>, context: Context): Promise<AgentRecord> {
  const { parts, engine, facts, work } = context;
  const { record, host } = facts;
  // Never after: the deadman of a good slot would end boot after boot, were the agent gone in between.
  await parts.host.deadman.disarm();
  await engine.markGood();
  const [health, now] = [healthOf(work), instant(context)];
  if (error === undefined) return save(context, succeeded(record, armed, health, now));
  return save(context, kept(record, armed, host.os.version, error, now));
}

export async function strand({ armed, error }: Do<'strand'>, context: Context): Promise<AgentRecord> {
  const { parts, facts, work } = context;
  await parts.host.deadman.disarm();
  parts.log.error('there is no slot to go back to', { version: armed.version, reason: error.message });
  return save(context, stranded(facts.record, armed, error, healthOf(work), instant(context)));
}

export async function concludeRolledBack(
  { version, from, attempt, error }: Do<'concludeRolledBack'>,
  context: Context,
): Promise<AgentRecord> {
  const { engine, facts, parts } = context;
  // A slot that somebody switched away from by hand is good still, and left for them.
  if (facts.record.armed !== undefined) await engine.disarm();
  const told = unjudged(error, version, await parts.host.deadman.disarm());
  parts.log.warn('rolled back', { version, code: told.code, reason: told.message });
  return save(context, rolledBack(facts.record, { version, from, attempt }, told, instant(context)));
}

/** The firmware did not go back by itself if it was the deadman that gave up the version, `left` times short of all. */
function unjudged(error: Failure, version: string, left: number | undefined): Failure {
  if (error.code !== 'BootFailed' || left === undefined || left >= TRIES) return error;
  const message = `${version} came up without its agent, and the deadman on the node rebooted it; see "journalctl -b -1 -u kubelet" there`;
  return { code: 'BootFailed', message };
}
