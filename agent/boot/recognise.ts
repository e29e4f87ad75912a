import type { SlotStatus } from '#api/node-state.ts';
import type { AgentRecord, Armed, Failure } from '../record/record.ts';

/** What is known after a boot, or at any later time in it. */
export interface BootFacts {
  bootID: string;
  /** What the disk says; `version` and `digest` are not looked at. */
  slots: readonly SlotStatus[];
  record: AgentRecord;
}

/** Which boot this is, judged by what the record expected. */
export type Boot =
  /** Nothing was armed, nothing changed. */
  | { kind: 'Ordinary' }
  /** The slot was (or is to be) armed in this very boot: the reboot is still to come. */
  | { kind: 'RebootPending'; armed: Armed }
  /** The machine went down before the slot was armed: nothing was tried, nothing failed. */
  | { kind: 'NeverArmed'; armed: Armed }
  /** The armed slot runs and is on trial. `seen`: the trial of this boot is on record. */
  | { kind: 'Trial'; armed: Armed; seen: boolean }
  /** The armed slot runs and is good already. */
  | { kind: 'AlreadyGood'; armed: Armed }
  /** Nothing was armed, yet what runs is not good: a fresh machine, or somebody else's switch. */
  | { kind: 'Unproven'; partUUID: string }
  /** The armed slot was booted, or could have been, and another runs. */
  | { kind: 'FellBack'; armed: Armed; error: Failure }
  /** Nothing was armed, yet another slot than the good one runs: somebody switched by hand. */
  | { kind: 'ManualRollback'; from: { version: string; partUUID: string }; error: Failure };

/** Recognises a boot from the record and the slot table alone; no API server is needed. */
export function recognise({ bootID, slots, record }: BootFacts): Boot {
  const running = slots.find((slot) => slot.booted);
  const { armed, good } = record;
  if (armed !== undefined) return recogniseArmed(armed, running, slots, bootID);
  if (running?.partUUID === undefined) return { kind: 'Ordinary' };
  if (!running.successful) return { kind: 'Unproven', partUUID: running.partUUID };
  if (good !== undefined && running.partUUID !== good.partUUID)
    return { kind: 'ManualRollback', from: good, error: byHand(good.version, running.name) };
  return { kind: 'Ordinary' };
}

function recogniseArmed(
  armed: Armed,
  running: SlotStatus | undefined,
  slots: readonly SlotStatus[],
  bootID: string,
): Boot {
  if (armed.bootID === bootID) return { kind: 'RebootPending', armed };
  if (running?.partUUID !== armed.partUUID) return recogniseOther(armed, running, slots);
  if (running.successful) return { kind: 'AlreadyGood', armed };
  return { kind: 'Trial', armed, seen: armed.trial?.bootID === bootID };
}

function recogniseOther(armed: Armed, running: SlotStatus | undefined, slots: readonly SlotStatus[]): Boot {
  const verdict = armed.trial?.verdict;
  if (verdict !== undefined) return { kind: 'FellBack', armed, error: verdict };
  const target = slots.find((slot) => slot.partUUID === armed.partUUID);
  // The bootloader takes tries, never the priority: a slot without one was never armed (ab-engine.md §2.4).
  if (armed.trial === undefined && (target === undefined || target.priority === 0))
    return { kind: 'NeverArmed', armed };
  // With tries left, or after the mark, the bootloader would have chosen it: a person did not.
  const choosable = target !== undefined && target.priority > 0 && (target.tries > 0 || target.successful);
  const error = choosable ? byHand(armed.version, running?.name ?? '') : notUp(armed);
  return { kind: 'FellBack', armed, error };
}

function notUp({ version, from }: Armed): Failure {
  return {
    code: 'BootFailed',
    message: `${version} was booted and did not stay up; the machine is back on ${from ?? 'the other slot'}. See its console log.`,
  };
}

function byHand(version: string, slot: string): Failure {
  return {
    code: 'ManualRollback',
    message: `${version} could have been booted, yet ${slot} was: somebody switched back. Raise the attempt to try ${version} again.`,
  };
}
