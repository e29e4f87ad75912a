import type { Assignment, Candidate, Situation } from './chain.ts';
import { beyondReturn, decide } from './chain.ts';
import type { NodeFacts } from './facts.ts';
import type { Attempt } from '#operators/rollout/halt.ts';
import { judgeHalt } from '#operators/rollout/halt.ts';
import type { Outcome } from '#operators/rollout/outcome.ts';
import type { Standing } from './outcome.ts';
import { standingOf } from './outcome.ts';
import { isStaging, nextAttempt, wouldStage } from './progress.ts';
import { shareOf } from '#operators/rollout/share.ts';
import type { UpdatePolicy } from './policy.ts';
import type { RolloutStatus } from './rollout-status.ts';
import type { ChannelOrWhy, Target } from './target.ts';
import { chooseTarget } from './target.ts';
import type { WaveProgress } from '#operators/rollout/wave-progress.ts';
import { waveProgress } from '#operators/rollout/wave-progress.ts';
import type { Wave } from '#operators/rollout/waves.ts';
import { dealWaves, inRolloutOrder } from '#operators/rollout/waves.ts';
import type { Channel } from '../channel/read-channel.ts';

/** Nodes named in a halt. */
const MOST_NAMES = 32;

export interface PlanInput {
  group: { name: string; update?: UpdatePolicy | undefined };
  /** The group's channel, or in a sentence why there is none. */
  channel: ChannelOrWhy;
  nodes: readonly NodeFacts[];
  /** `status.rollout` of the group as it was last written. */
  previous: RolloutStatus | undefined;
  /** ms since the epoch. */
  now: number;
}

export interface Plan {
  /** Undefined when the group has no update policy. */
  target: Target | undefined;
  /** For every node of the group. */
  assignments: ReadonlyMap<string, Assignment>;
  outcomes: ReadonlyMap<string, Outcome>;
  rollout: RolloutStatus | undefined;
  /** No node can get any further without a person's help. */
  complete: boolean;
  /** When the plan may change although nothing else does, in ms since the epoch. */
  nextCheckAt?: number | undefined;
}

/**
 * Plans a group's rollout: what each node is to be asked for, and why, from nothing but what is given.
 * Planning again on the result, with nothing else changed, asks for the same.
 */
export function planRollout(input: PlanInput): Plan {
  const { group, channel, nodes, previous } = input;
  if (group.update === undefined)
    return idle(nodes, previous, 'UpToDate', `group ${group.name} updates nothing`);
  const target = chooseTarget(group.update, channel, nodes, previous);
  if (target.version === undefined || 'missing' in channel) {
    const { reason, message } = target.obstacle ?? { reason: 'NoChannel' as const, message: '' };
    return { ...idle(nodes, previous, reason, message), target };
  }
  return { ...rollOut(input, group.update, channel, target.version), target };
}

/** Nobody is given anything; nodes past the point of no return come to their end. */
function idle(
  nodes: readonly NodeFacts[],
  previous: RolloutStatus | undefined,
  reason: Assignment['verdict']['reason'],
  message: string,
): Plan {
  const assignments = nodes.map((node): [string, Assignment] => [
    node.name,
    beyondReturn({ node }) ?? { action: 'withdraw', verdict: { reason, message } },
  ]);
  return {
    target: undefined,
    assignments: new Map(assignments),
    outcomes: new Map(),
    rollout: previous,
    complete: false,
  };
}

function rollOut(
  { group, nodes, previous, now }: PlanInput,
  policy: UpdatePolicy,
  channel: Channel,
  target: string,
): Omit<Plan, 'target'> {
  const before = previous?.target === target ? previous : undefined;
  const ordered = inRolloutOrder(nodes, `${group.name}/${target}`);
  const standings = ordered.map((node) => standingOf(node, policy, channel, target, now));
  const outcomes = new Map(standings.map(({ node, outcome }) => [node.name, outcome]));
  const eligible = ordered.filter(({ name }) => outcomes.get(name) !== 'ineligible');
  const waves = dealWaves(policy.rollout.waves, eligible);
  const steps = [target, ...floorsOf(channel)];
  const isLifted = policy.rollout.haltOn.acknowledged.some((version) => steps.includes(version));
  const attempts = standings.map(attemptOf);
  const trial = { target, attempts, waves, previous: before?.halted, isLifted, names: MOST_NAMES };
  const halted = judgeHalt(trial, policy.rollout.haltOn, now);
  const progress = waveProgress(waves, outcomes, before?.waves, now);
  const waveOf = new Map(waves.flatMap((wave, index) => wave.nodes.map((node) => [node, index] as const)));
  const situation = { group: group.name, target, paused: policy.paused, halted, progress, waveOf, now };
  const complete = halted === undefined && eligible.every(({ name }) => outcomes.get(name) !== 'pending');
  const started = { target, startedAt: before?.startedAt ?? new Date(now).toISOString() };
  return {
    assignments: assign(standings, situation, policy),
    outcomes,
    rollout: { ...started, ...shown(waves, progress, complete), ...(halted === undefined ? {} : { halted }) },
    complete,
    nextCheckAt: nextCheck(standings, progress, now),
  };
}

function attemptOf({ node: { name }, outcome, failure }: Standing): Attempt {
  return { name, outcome, code: failure?.code };
}

/** Decides over each node, then lets candidates in, in wave order, while there is room among those that stage. */
function assign(
  standings: readonly Standing[],
  situation: Situation,
  { rollout: { maxStaging } }: UpdatePolicy,
): Map<string, Assignment> {
  const decided = standings.map((standing) => ({ standing, answer: decide(standing, situation) }));
  const limit = shareOf(maxStaging, standings.length, 'down');
  // A node that fell silent keeps its offer, but no place: it may never come back, and the others would wait.
  let staging = decided.filter(
    ({ standing: { node }, answer }) =>
      answer.action === 'keep' && answer.verdict.reason === 'Offered' && isStaging(node),
  ).length;
  const assignments = new Map<string, Assignment>();
  // A stable sort: within a wave the rollout's order stays.
  const waveOf = (name: string) => situation.waveOf.get(name) ?? 0;
  for (const { standing, answer } of decided.toSorted(
    (a, b) => waveOf(a.standing.node.name) - waveOf(b.standing.node.name),
  )) {
    const { node } = standing;
    const attempt = answer.action === 'candidate' ? nextAttempt(node, answer.version) : 0;
    if (answer.action !== 'candidate') assignments.set(node.name, answer);
    else if (!wouldStage(node, answer.version, attempt)) assignments.set(node.name, offer(answer, attempt));
    else if (staging < limit) {
      staging += 1;
      assignments.set(node.name, offer(answer, attempt));
    } else assignments.set(node.name, full(answer, maxStaging));
  }
  return assignments;
}

function offer({ version }: Candidate, attempt: number): Assignment {
  const verdict = { reason: 'Offered' as const, message: `is given ${version}, attempt ${attempt}` };
  return { action: 'offer', version, attempt, verdict };
}

function full({ version }: Candidate, maxStaging: number | string): Assignment {
  const message = `${version} waits: maxStaging lets ${maxStaging} nodes stage at once`;
  return { action: 'withdraw', verdict: { reason: 'MaxStaging', message } };
}

function floorsOf(channel: Channel): string[] {
  return channel.releases.filter(({ floor }) => floor).map(({ version }) => version);
}

/** The waves as status shows them; a group without declared waves has none to show. */
function shown(
  waves: readonly Wave[],
  progress: WaveProgress,
  complete: boolean,
): Pick<RolloutStatus, 'wave' | 'waves'> {
  if (waves.length === 1) return {};
  const peopled = progress.waves.filter(({ name, nodes }) => name !== 'rest' || nodes > 0);
  const current = complete ? undefined : progress.waves[progress.current]?.name;
  return { waves: peopled, ...(current === undefined ? {} : { wave: current }) };
}

function nextCheck(standings: readonly Standing[], progress: WaveProgress, now: number): number | undefined {
  const retries = standings.map(({ outlook }) => (outlook?.next === 'retry' ? outlook.at : undefined));
  const instants = [progress.soakEndsAt, ...retries].filter((at) => at !== undefined && at > now);
  return instants.length === 0 ? undefined : Math.min(...instants.filter((at) => at !== undefined));
}
