import type { RolloutReason, Verdict } from '#api/reasons.ts';
import type { Outlook } from '../../rollout/retry.ts';
import { opensAt } from '#operators/rollout/linear.ts';
import { spanMs } from '#operators/rollout/span.ts';
import type { Machine } from '../store/machine.ts';
import { openWave, saltOf } from './machine-place.ts';
import type { Service } from './service.ts';

/** One machine that could be given `version`, and all that speaks for or against it. */
export interface Candidacy {
  service: Service;
  /** After what it told. */
  machine: Machine;
  target: string;
  version: string;
  wave: number | undefined;
  outlook: Outlook | undefined;
  /** Why the group gives the target to nobody. */
  halted: string | undefined;
  /** A person at the machine asks, and the group lets such go first. */
  atOnce: boolean;
  /** ms since the epoch. */
  now: number;
}

/** `serve` it the version that it was given already. */
export type Answer = { serve: true } | { hold: Verdict<RolloutReason> };

type Policy = (candidacy: Candidacy) => Answer | undefined;

/** The first that answers decides; a machine that none answers asks for a place. Compare the chain for nodes. */
const CHAIN: readonly Policy[] = [
  underWay,
  failedBefore,
  halted,
  paused,
  backingOff,
  granted,
  undealt,
  waiting,
  throttled,
  outsideHours,
];

export function answerOf(candidacy: Candidacy): Answer | undefined {
  for (const policy of CHAIN) {
    const answer = policy(candidacy);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** It downloads or waits for its reboot: nothing that is said now would reach it. */
function underWay({ machine: { grant, phase } }: Candidacy): Answer | undefined {
  if (grant === undefined || phase === 'Granted') return undefined;
  return hold('InProgress', `works on ${grant.version}`);
}

function failedBefore({ outlook, version, machine }: Candidacy): Answer | undefined {
  if (outlook?.next === 'quarantined')
    return hold('Quarantined', `${version} was booted on this machine and left again`);
  if (outlook?.next !== 'exhausted') return undefined;
  const times = machine.failures.find((failure) => failure.version === version)?.times ?? 0;
  return hold('RetriesExhausted', `${version} failed ${times} times on this machine`);
}

function halted({ halted: why, service: { group }, target }: Candidacy): Answer | undefined {
  return why === undefined ? undefined : hold('Halted', `group ${group} halted ${target}: ${why}`);
}

function paused({ service: { group, policy }, version }: Candidacy): Answer | undefined {
  return policy.paused ? hold('Paused', `group ${group} is paused; ${version} waits`) : undefined;
}

function backingOff({ outlook, version, now }: Candidacy): Answer | undefined {
  if (outlook?.next !== 'retry' || outlook.at <= now) return undefined;
  return hold('BackingOff', `${version} failed and is tried again at ${instantOf(outlook.at)}`);
}

/** What was given stays given, whatever waves, throttles and hours have become. */
function granted({ machine: { grant }, version }: Candidacy): Answer | undefined {
  return grant?.version === version ? { serve: true } : undefined;
}

function undealt({ wave, service: { group } }: Candidacy): Answer | undefined {
  return wave === undefined
    ? hold('NotPlanned', `the waves of group ${group} are being dealt out`)
    : undefined;
}

function waiting({ service, wave = 0, atOnce }: Candidacy): Answer | undefined {
  if (atOnce || wave <= openWave(service)) return undefined;
  const name = service.policy.rollout.waves[wave]?.name ?? 'rest';
  return hold('WaitingForWave', `in wave ${name}, which waits for the waves before it`);
}

function throttled({ service, machine, target, atOnce, now }: Candidacy): Answer | undefined {
  const { linear } = service.policy.rollout;
  if (linear === undefined || service.rollout === undefined || atOnce) return undefined;
  const started = Date.parse(service.rollout.startedAt);
  const at = opensAt(saltOf(service.group, target), machine.id, started, spanMs(linear.duration));
  return at <= now ? undefined : hold('Throttled', `the rollout comes to this machine at ${instantOf(at)}`);
}

function outsideHours({ service: { closed }, atOnce }: Candidacy): Answer | undefined {
  return closed === undefined || atOnce ? undefined : { hold: closed };
}

function hold(reason: RolloutReason, message: string): Answer {
  return { hold: { reason, message } };
}

function instantOf(at: number): string {
  return new Date(at).toISOString();
}
