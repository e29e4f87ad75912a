import { healthGate } from '#api/health.ts';
import { compareVersions } from '#api/version.ts';
import type { Failure, Staged } from '../record/record.ts';
import type { Facts, Stageable, Wanted } from './facts.ts';
import { checkGrantLocally } from './grant.ts';
import type { Step } from './step.ts';
import { isTarget, targetOf } from './target.ts';

/** How often a machine that does not do as told is told to reboot for one version. */
export const REBOOT_LIMIT = 3;

type Check = (facts: Facts, wanted: Stageable) => Step | undefined;

/** An ordinary boot: stage what is wanted, and ask for the reboot. */
export function nextStagingStep(facts: Facts): Step {
  const { spec, host } = facts;
  if (spec === undefined) return waitForSpec(facts);
  const wanted = spec.update;
  if (wanted?.version === undefined) return letGo(facts, 'no version is wanted');
  if (wanted.version === host.os.version) return letGo(facts, `${wanted.version} runs`);
  if (!isStageable(wanted)) return letGo(facts, `${wanted.version} is wanted but no payload is given`);
  for (const check of CHAIN) {
    const step = check(facts, wanted);
    if (step !== undefined) return step;
  }
  return { do: 'stage', wanted };
}

function isStageable(wanted: Wanted): wanted is Stageable {
  return targetOf(wanted) !== undefined;
}

/** Without word from the API server the agent begins nothing and undoes nothing; what runs beside the loop goes on. */
function waitForSpec({ record, work }: Facts): Step {
  const { staged } = record;
  if (staged !== undefined && staged.digest !== work.verified && work.busy === undefined)
    return { do: 'recheck', staged };
  return { do: 'idle', why: 'there is no NodeState to read yet' };
}

/** Nothing may be staged or on its way. */
function letGo({ record, work }: Facts, why: string): Step {
  if (work.busy !== undefined) return { do: 'stop', why };
  if (record.staged !== undefined) return { do: 'drop', why };
  return { do: 'idle', why };
}

/** Why the target is not staged now, or what comes first; in this order. */
const CHAIN: Check[] = [
  stopOther,
  holdQuarantined,
  holdFailed,
  refuseDowngrade,
  dropOther,
  awaitWork,
  proceed,
];

function stopOther({ work }: Facts, wanted: Stageable): Step | undefined {
  if (work.busy === undefined || isTarget(work.busy.target, wanted)) return undefined;
  return { do: 'stop', why: `${wanted.version} is wanted instead of ${work.busy.target.version}` };
}

function holdQuarantined(facts: Facts, wanted: Stageable): Step | undefined {
  const found = facts.record.quarantine.find(({ version }) => version === wanted.version);
  if (found === undefined || attemptOf(wanted) > found.attempt) return undefined;
  return letGo(
    facts,
    `${wanted.version} failed on this machine (${found.reason}) and is not tried again by itself`,
  );
}

function holdFailed(facts: Facts, wanted: Stageable): Step | undefined {
  const { last } = facts.record;
  if (last?.phase !== 'Failed' || last.version !== wanted.version) return undefined;
  if (attemptOf(wanted) > last.attempt) return undefined;
  // A downgrade that is allowed since is another wish, even without another attempt.
  if (last.error?.code === 'DowngradeRefused' && !isRefusedDowngrade(facts, wanted)) return undefined;
  return letGo(facts, `attempt ${last.attempt} at ${wanted.version} failed`);
}

function refuseDowngrade(facts: Facts, wanted: Stageable): Step | undefined {
  if (!isRefusedDowngrade(facts, wanted)) return undefined;
  const { version } = facts.host.os;
  const message = `${wanted.version} is older than ${version}, which runs; set allowDowngrade if that is meant`;
  return refuse(wanted, { code: 'DowngradeRefused', message });
}

function dropOther({ record }: Facts, wanted: Stageable): Step | undefined {
  if (record.staged === undefined || isTarget(record.staged, wanted)) return undefined;
  return { do: 'drop', why: `${wanted.version} is wanted instead of ${record.staged.version}` };
}

function awaitWork({ work, record }: Facts): Step | undefined {
  if (work.busy !== undefined) return { do: 'idle', why: `${work.busy.task} is under way` };
  const { staged } = record;
  if (staged === undefined || staged.digest === work.verified) return undefined;
  return { do: 'recheck', staged };
}

function proceed(facts: Facts, wanted: Stageable): Step | undefined {
  const { staged, rebootFailures } = facts.record;
  if (staged === undefined) return undefined;
  if (rebootFailures !== undefined && rebootFailures.count >= REBOOT_LIMIT)
    return refuse(wanted, rebootFailures.error);
  return awaitGrant(facts, staged, wanted);
}

function awaitGrant(facts: Facts, staged: Staged, wanted: Stageable): Step {
  const grant = facts.spec?.reboot?.grant;
  if (grant === undefined)
    return { do: 'idle', why: `${staged.version} is staged and waits for a reboot grant` };
  if (grant.id === facts.work.refusedGrant) return { do: 'idle', why: `grant ${grant.id} was refused` };
  const refusal = checkGrantLocally({ ...facts, grant });
  if (refusal !== undefined)
    return { do: 'idle', why: `grant ${grant.id} is ignored (${refusal.reason}): ${refusal.message}` };
  // What lay in the slot for an hour or a month may have been written over since.
  if (facts.work.verifiedFor !== grant.id) return { do: 'recheck', staged, grantID: grant.id };
  return { do: 'accept', grant, staged, gate: wanted.health ?? healthGate.parse({}) };
}

function isRefusedDowngrade({ host }: Facts, { version, allowDowngrade }: Stageable): boolean {
  return allowDowngrade !== true && compareVersions(version, host.os.version) < 0;
}

function refuse(wanted: Stageable, error: Failure): Step {
  return { do: 'refuse', version: wanted.version, attempt: attemptOf(wanted), error };
}

function attemptOf({ attempt }: Wanted): number {
  return attempt ?? 1;
}
