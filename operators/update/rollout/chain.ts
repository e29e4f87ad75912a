import type { RolloutReason, Verdict } from '#api/reasons.ts';
import { isHeard } from './facts.ts';
import type { Standing } from './outcome.ts';
import { ineligibility } from './outcome.ts';
import { agentFault, isBeyondReturn, isOffered } from './progress.ts';
import type { Halt } from './rollout-status.ts';
import type { WaveProgress } from '#operators/rollout/wave-progress.ts';
import { totalOf } from '#operators/rollout/wave-progress.ts';

/**
 * What is to be done about one node:
 * * `offer` give it `version`, as this attempt;
 * * `keep` leave it with the version that it was given;
 * * `leave` write nothing at all: it is past the point of no return;
 * * `withdraw` ask nothing of it: what is staged is dropped, what runs stays;
 * * `arrived` it runs `version` and needs nothing.
 */
export type Assignment = { verdict: Verdict<RolloutReason> } & (
  | { action: 'offer'; version: string; attempt: number }
  | { action: 'keep' }
  | { action: 'leave' }
  | { action: 'withdraw' }
  | { action: 'arrived'; version: string }
);

/** What a node may be given if there is room among those that stage. */
export interface Candidate {
  action: 'candidate';
  version: string;
}

/** What is the same for all nodes of a group in one plan. */
export interface Situation {
  group: string;
  target: string;
  paused: boolean;
  halted: Halt | undefined;
  progress: WaveProgress;
  waveOf: ReadonlyMap<string, number>;
  /** When the rollout comes to a node, in ms since the epoch; undefined: it does not open over a time. */
  opens?: ((node: string) => number) | undefined;
  /** Why nobody is given a release at this time of day. */
  closed?: { verdict: Verdict<RolloutReason>; until?: number | undefined } | undefined;
  now: number;
}

type Policy = (standing: Standing, situation: Situation) => Assignment | undefined;

/** The first that answers decides. Order is meaning: what cannot be undone first, then facts, then permission. */
const CHAIN: readonly Policy[] = [
  beyondReturn,
  unreported,
  arrived,
  ineligible,
  failed,
  halted,
  unheard,
  faulty,
  backingOff,
  underWay,
  paused,
  waiting,
  throttled,
  outsideHours,
];

/** Decides over one node as far as that can be done without looking at the others. */
export function decide(standing: Standing, situation: Situation): Assignment | Candidate {
  for (const policy of CHAIN) {
    const answer = policy(standing, situation);
    if (answer !== undefined) return answer;
  }
  return { action: 'candidate', version: stepOf(standing) };
}

export function beyondReturn({ node }: Pick<Standing, 'node'>): Assignment | undefined {
  if (!isBeyondReturn(node)) return undefined;
  const update = node.status?.update;
  const message = `${update?.phase ?? ''} ${update?.version ?? ''}, past the point of no return`;
  return { action: 'leave', verdict: { reason: 'Offered', message } };
}

function unreported({ running }: Standing): Assignment | undefined {
  return running === undefined
    ? withdraw('AgentSilent', 'no agent has reported from the node yet; see the agent pod on it')
    : undefined;
}

function arrived({ outcome }: Standing, { target }: Situation): Assignment | undefined {
  if (outcome !== 'succeeded') return undefined;
  return { action: 'arrived', version: target, verdict: { reason: 'UpToDate', message: `runs ${target}` } };
}

function ineligible(standing: Standing): Assignment | undefined {
  const verdict = ineligibility(standing);
  return verdict === undefined ? undefined : { action: 'withdraw', verdict };
}

function failed(standing: Standing): Assignment | undefined {
  const { outlook, failure } = standing;
  const version = stepOf(standing);
  const code = failure?.code;
  if (outlook?.next === 'quarantined') {
    return withdraw('Quarantined', `${version} failed on this node${code === undefined ? '' : `: ${code}`}`);
  }
  if (outlook?.next !== 'exhausted') return undefined;
  const why = code === undefined ? '' : `, last with ${code}`;
  return withdraw('RetriesExhausted', `${version} failed ${failure?.times} times on this node${why}`);
}

function halted(_: Standing, { halted: halt, group, target }: Situation): Assignment | undefined {
  if (halt === undefined) return undefined;
  return withdraw('Halted', `group ${group} halted ${target}: ${halt.reason}`);
}

function unheard(standing: Standing): Assignment | undefined {
  const { node } = standing;
  if (isHeard(node)) return undefined;
  const message = node.ready
    ? 'the agent has not reported since the node booted; see the agent pod on it'
    : 'the node is not Ready';
  return isUnderWay(standing) ? keep('AgentSilent', message) : withdraw('AgentSilent', message);
}

/**
 * A fault ends no attempt, so what was offered stays, until the report names that very version: the reboot lock
 * takes it for a failure then, and gives the node's place on only when its `spec.update` changes.
 */
function faulty(standing: Standing): Assignment | undefined {
  const { node } = standing;
  const fault = agentFault(node);
  if (fault === undefined) return undefined;
  const message = `the agent does nothing because of ${fault.code}: ${fault.message}`;
  const isNamed = node.status?.update?.version === node.wanted.version;
  return isUnderWay(standing) && !isNamed ? keep('AgentFaulty', message) : withdraw('AgentFaulty', message);
}

/**
 * Until a retry is due the version is withdrawn: a node that failed may hold a place in the reboot budget, which
 * is given on only when its `spec.update` changes.
 */
function backingOff(standing: Standing, { now }: Situation): Assignment | undefined {
  const { outlook, failure } = standing;
  if (outlook?.next !== 'retry' || outlook.at <= now) return undefined;
  const at = new Date(outlook.at).toISOString();
  const why = failure?.code === undefined ? '' : ` with ${failure.code}`;
  return withdraw('BackingOff', `${stepOf(standing)} failed${why} and is tried again at ${at}`);
}

/** A node that works on the very version keeps it, whatever pauses, waves and limits have become. */
function underWay(standing: Standing): Assignment | undefined {
  return isUnderWay(standing) ? keep('Offered', `works on ${stepOf(standing)}`) : undefined;
}

function paused(standing: Standing, { paused: isPaused, group }: Situation): Assignment | undefined {
  if (!isPaused) return undefined;
  return withdraw('Paused', `group ${group} is paused; ${stepOf(standing)} waits`);
}

function waiting(standing: Standing, { progress, waveOf }: Situation): Assignment | undefined {
  const wave = waveOf.get(standing.node.name) ?? 0;
  if (wave <= progress.current) return undefined;
  const name = progress.waves[wave]?.name ?? '';
  const current = progress.waves[progress.current]?.name ?? '';
  if (progress.soakEndsAt !== undefined && wave === nextPeopled(progress)) {
    const until = new Date(progress.soakEndsAt).toISOString();
    return withdraw('Soaking', `in wave ${name}; wave ${current} is done and watched until ${until}`);
  }
  // Names no other wave: the sentence stays true, and is written once, while the waves before it pass.
  return withdraw('WaitingForWave', `in wave ${name}, which waits for the waves before it`);
}

function throttled({ node }: Standing, { opens, now }: Situation): Assignment | undefined {
  const at = opens?.(node.name) ?? now;
  return at <= now
    ? undefined
    : withdraw('Throttled', `the rollout comes to this node at ${new Date(at).toISOString()}`);
}

function outsideHours(_: Standing, { closed }: Situation): Assignment | undefined {
  return closed === undefined ? undefined : { action: 'withdraw', verdict: closed.verdict };
}

function nextPeopled({ waves, current }: WaveProgress): number {
  return waves.findIndex((wave, index) => index > current && totalOf(wave) > 0);
}

/** Whether the node works on its next step. One that failed it does not: see `backingOff`. */
function isUnderWay({ node, step, failure }: Standing): boolean {
  return failure === undefined && step?.version !== undefined && isOffered(node, step.version);
}

/** The version of the node's next step; earlier policies have answered for nodes that have none. */
function stepOf({ step }: Standing): string {
  return step?.version ?? '';
}

function keep(reason: RolloutReason, message: string): Assignment {
  return { action: 'keep', verdict: { reason, message } };
}

function withdraw(reason: RolloutReason, message: string): Assignment {
  return { action: 'withdraw', verdict: { reason, message } };
}
