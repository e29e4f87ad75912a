import { judge } from './confirming.ts';
import { appliedHash, wantedHash } from './facts.ts';
import type { Changing, ConfigFacts, Drafted } from './facts.ts';
import { checkDrainGrant, hasAccepted } from './grant.ts';
import type { ConfigStep } from './step.ts';

/** A machine that was told to reboot is given so long. */
const REBOOT_WITHIN_MS = 5 * 60_000;

/**
 * What is done for the configuration next. A change that is under way comes first, whatever is wanted by now: it
 * counts or is undone, and only then is the next one begun. Pure: the same facts give the same step.
 */
export function nextConfigStep(facts: ConfigFacts): ConfigStep {
  const { changing, update } = facts;
  if (update === 'GoingDown') return { do: 'idle', why: 'the machine is going down' };
  if (changing !== undefined) return nextOfChange(facts, changing);
  return nextOfWish(facts);
}

function nextOfChange(facts: ConfigFacts, changing: Changing): ConfigStep {
  const { meta, stage, failed, acted } = changing;
  const { last } = facts.record;
  const verdict = last?.transaction === changing.id ? last : undefined;
  if (verdict?.phase === 'Degraded')
    return { do: 'idle', why: `a change could not be undone: ${verdict.error.message}` };
  if (stage === 'Reverted') return { do: 'conclude' };
  if (verdict !== undefined) return { do: 'revert', error: verdict.error };
  if (stage === 'Staged')
    return { do: 'revert', error: { code: 'Internal', message: 'the change was not begun' } };
  if (failed !== undefined) return { do: 'revert', error: failed };
  if (!acted) return { do: 'act' };
  if (meta.needs === 'Reboot' && meta.bootID === facts.bootID) return awaitReboot(facts);
  const { probing, monotonicMs } = facts;
  if (probing === undefined) return { do: 'probe', waitMs: 0 };
  const judged = judge(meta.confirm, probing, monotonicMs);
  switch (judged.verdict) {
    case 'Confirmed':
      return { do: 'keep' };
    case 'Failed':
      return { do: 'revert', error: { code: 'ProbeFailed', message: judged.message } };
    case 'Probe':
      return { do: 'probe', waitMs: judged.waitMs };
  }
}

/** The update reboots the machine if it has an image for the same grant; else the configuration does. */
function awaitReboot({ updateStaged, rebootAskedAt, monotonicMs }: ConfigFacts): ConfigStep {
  if (updateStaged) return { do: 'idle', why: 'the configuration is changed and reboots with the update' };
  if (rebootAskedAt === undefined) return { do: 'reboot' };
  const waitMs = rebootAskedAt + REBOOT_WITHIN_MS - monotonicMs;
  if (waitMs > 0) return { do: 'idle', why: 'the machine is going down', waitMs };
  const message = `the machine did not go down within ${REBOOT_WITHIN_MS / 60_000} minutes; see "systemctl list-jobs" on the node`;
  return { do: 'revert', error: { code: 'ActionFailed', message } };
}

function nextOfWish(facts: ConfigFacts): ConfigStep {
  const { wanted, record, update, unsupported } = facts;
  if (wanted === undefined) return { do: 'idle', why: 'it is not known yet what is wanted' };
  if (update === 'Trial') return { do: 'idle', why: 'a new version is on trial' };
  const hash = wantedHash(facts);
  if (hash === appliedHash(facts))
    return settled(facts, hash === '' ? 'no configuration is wanted' : 'in force');
  if (unsupported !== undefined) return settled(facts, unsupported);
  const generation = wanted.generation ?? record.highest;
  if (hasFailed(facts, hash, generation))
    return settled(facts, `it failed here (${record.last?.error.code}) and is not tried again by itself`);
  if (generation < record.highest) return { do: 'refuse', error: tooOld(generation, record.highest) };
  const { draft } = facts;
  if (draft?.hash !== hash || draft.generation !== generation) return fetchUnlessTroubled(facts, hash);
  if (wanted.apply === false) return settled(facts, 'planned; waits to be told to apply');
  if (draft.needs === 'None')
    return facts.record.request === undefined ? { do: 'apply' } : { do: 'withdraw' };
  return awaitGrant(facts, draft, draft.needs);
}

/** Nothing is asked of reboot-lock any more. */
function settled({ record }: ConfigFacts, why: string): ConfigStep {
  return record.request === undefined ? { do: 'idle', why } : { do: 'withdraw' };
}

function hasFailed({ record: { last } }: ConfigFacts, hash: string, generation: number): boolean {
  return last !== undefined && last.hash === hash && last.generation >= generation;
}

function tooOld(generation: number, highest: number) {
  const message = `generation ${generation} is wanted and ${highest} was in force here already: what is wanted comes from an old backup; have a NodeConfig changed, so that a higher one is made`;
  return { code: 'GenerationOld' as const, message };
}

function fetchUnlessTroubled({ trouble, monotonicMs, wanted }: ConfigFacts, hash: string): ConfigStep {
  if (trouble?.hash !== hash || trouble.generation !== (wanted?.generation ?? 0)) return { do: 'draft' };
  const waitMs = trouble.retryAt - monotonicMs;
  if (waitMs <= 0) return { do: 'draft' };
  return { do: 'idle', why: trouble.error.message, waitMs };
}

function awaitGrant(facts: ConfigFacts, draft: Drafted, needs: 'Drain' | 'Reboot'): ConfigStep {
  const { record, grant, bootID } = facts;
  const { request } = record;
  const asked = request?.hash === draft.hash && request.kind === needs;
  if (!asked) return ask(facts, draft.hash, needs);
  if (hasAccepted(record, bootID, grant)) return { do: 'apply' };
  if (grant === undefined) return { do: 'idle', why: `waits for a ${needs.toLowerCase()}` };
  const refusal = checkDrainGrant({ bootID, now: facts.now, request }, grant);
  if (refusal === undefined) return { do: 'accept', grant };
  return { do: 'idle', why: `grant ${grant.id} is ignored: ${refusal}` };
}

function ask({ now }: ConfigFacts, hash: string, kind: 'Drain' | 'Reboot'): ConfigStep {
  return { do: 'request', request: { hash, kind, since: new Date(now).toISOString() } };
}
