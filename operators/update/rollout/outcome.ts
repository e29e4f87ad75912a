import type { RolloutReason, Verdict } from '#api/reasons.ts';
import type { Channel } from '../channel/read-channel.ts';
import { releaseOf } from '../channel/read-channel.ts';
import type { Outcome } from '#operators/rollout/outcome.ts';
import type { NodeFacts } from './facts.ts';
import { runningVersion } from './facts.ts';
import type { Failure } from './progress.ts';
import { failureOf, isBeyondReturn } from './progress.ts';
import type { Outlook } from './retry.ts';
import { outlookOf } from './retry.ts';
import type { Step } from './step.ts';
import { nextStep } from './step.ts';
import type { UpdatePolicy } from './policy.ts';

/** How far ahead a node's clock may be before it is not believed. */
const CLOCK_SKEW_MS = 60_000;

/** One node, seen against the target. */
export interface Standing {
  node: NodeFacts;
  running: string | undefined;
  /** Undefined while it is not known what the node runs. */
  step: Step | undefined;
  failure: Failure | undefined;
  outlook: Outlook | undefined;
  outcome: Outcome;
}

export function standingOf(
  node: NodeFacts,
  policy: UpdatePolicy,
  channel: Channel,
  target: string,
  now: number,
): Standing {
  const running = runningVersion(node);
  const step = running === undefined ? undefined : agentStep(channel, running, target, policy);
  const version = step?.version;
  const failure = version === undefined || version === running ? undefined : failureOf(node, version);
  const outlook =
    failure === undefined || version === undefined
      ? undefined
      : outlookOf({ ...failure, since: failedAt(node, failure, now) }, version, policy.rollout);
  const seen = { node, running, step, failure, outlook };
  return { ...seen, outcome: outcomeOf(seen, target) };
}

/** A release may be there for update_engine only. */
function agentStep(
  channel: Channel,
  running: string,
  target: string,
  { allowDowngrade }: UpdatePolicy,
): Step {
  const step = nextStep(channel, running, target, allowDowngrade);
  if (step.version === undefined || step.version === running) return step;
  if (releaseOf(channel, step.version)?.payload !== undefined) return step;
  const message = `${step.version} has no payload for the careen agent`;
  return { obstacle: { reason: 'NoPackage', message } };
}

/**
 * When the node failed. It says so by its own clock; one that is ahead would put the retry off until then, so
 * the wait is reckoned by ours, from when the node was held.
 */
function failedAt({ wanted: { hold } }: NodeFacts, { since }: Failure, now: number): number {
  if (since <= now + CLOCK_SKEW_MS) return since;
  return hold?.reason === 'BackingOff' ? Date.parse(hold.since) : now;
}

function outcomeOf({ node, running, step, outlook }: Omit<Standing, 'outcome'>, target: string): Outcome {
  if (isBeyondReturn(node)) return 'pending';
  if (node.status?.engine === 'none' || step?.obstacle !== undefined) return 'ineligible';
  if (running === target) return 'succeeded';
  if (outlook?.next === 'quarantined') return 'failed';
  if (outlook?.next === 'exhausted') return outlook.accepted ? 'accepted' : 'failed';
  return 'pending';
}

/** Why the node cannot get the target as things are; undefined when nothing of that kind stands in its way. */
export function ineligibility({ node, step }: Standing): Verdict<RolloutReason> | undefined {
  if (node.status?.engine === 'none') {
    const message = 'the node has no A/B slots that careen can switch';
    return { reason: 'EngineUnsupported', message };
  }
  return step?.obstacle;
}
