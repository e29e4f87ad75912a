import type { Assigned, Limits } from './assign.ts';
import { assign } from './assign.ts';
import type { Assignment, Situation } from './chain.ts';
import { beyondReturn } from './chain.ts';
import type { NodeFacts } from './facts.ts';
import type { Verdict } from '#api/reasons.ts';
import { opensAt } from '#operators/rollout/linear.ts';
import { spanMs } from '#operators/rollout/span.ts';
import type { Machines } from './machines.ts';
import { machineAttempts, machineWaves, withOthers } from './machines.ts';
import { afterStarts, nextRoomAt } from './starts.ts';
import type { Attempt } from '#operators/rollout/halt.ts';
import { judgeHalt } from '#operators/rollout/halt.ts';
import type { Outcome } from '#operators/rollout/outcome.ts';
import type { Standing } from './outcome.ts';
import { standingOf } from './outcome.ts';
import type { UpdatePolicy } from './policy.ts';
import type { Halt, RolloutStatus } from './rollout-status.ts';
import type { ChannelOrWhy, Target } from './target.ts';
import { chooseTarget } from './target.ts';
import type { WaveProgress } from '#operators/rollout/wave-progress.ts';
import { totalOf, waveProgress } from '#operators/rollout/wave-progress.ts';
import type { Wave } from '#operators/rollout/waves.ts';
import { dealWaves, inRolloutOrder } from '#operators/rollout/waves.ts';
import type { Channel } from '../channel/read-channel.ts';

/** Nodes named in a halt. */
const MOST_NAMES = 32;

export interface PlanInput extends Limits {
  group: { name: string; update?: UpdatePolicy | undefined };
  /** The group's channel, or in a sentence why there is none. */
  channel: ChannelOrWhy;
  nodes: readonly NodeFacts[];
  /** Why nobody is given a release at this time of day. */
  closed?: Closed | undefined;
}

/** A window of the group's office hours that is closed. */
export interface Closed {
  verdict: Verdict<'OutsideHours'>;
  /** When to look again, in ms since the epoch. */
  until?: number | undefined;
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
  staging: Assigned['staging'];
  /** The machines have to be dealt out to the waves before this plan holds for them. */
  isDealDue: boolean;
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
    staging: { held: 0, more: 0 },
    isDealDue: false,
  };
}

function rollOut(
  input: PlanInput,
  policy: UpdatePolicy,
  channel: Channel,
  target: string,
): Omit<Plan, 'target'> {
  const { group, nodes, previous, machines, closed, now } = input;
  const before = previous?.target === target ? previous : undefined;
  const salt = `${group.name}/${target}`;
  const ordered = inRolloutOrder(nodes, salt);
  const standings = ordered.map((node) => standingOf(node, policy, channel, target, now));
  const outcomes = new Map(standings.map(({ node, outcome }) => [node.name, outcome]));
  const eligible = ordered.filter(({ name }) => outcomes.get(name) !== 'ineligible');
  const parts = machineWaves(machines, target, policy.rollout.waves.length, before?.waves);
  const waves = withOthers(dealWaves(policy.rollout.waves, eligible), parts);
  const halted = halt({ policy, channel, target, standings, waves, machines, previous: before?.halted, now });
  const progress = waveProgress(waves, outcomes, before?.waves, now);
  const waveOf = new Map(waves.flatMap((wave, index) => wave.nodes.map((node) => [node, index] as const)));
  const startedAt = before?.startedAt ?? new Date(now).toISOString();
  const opens = opening(policy, salt, startedAt);
  const situation = {
    group: group.name,
    target,
    paused: policy.paused,
    halted,
    progress,
    waveOf,
    opens,
    closed,
    now,
  };
  const isAtEnd = eligible.every(({ name }) => outcomes.get(name) !== 'pending');
  const complete =
    halted === undefined && isAtEnd && waves.every(({ others }) => others?.done === others?.total);
  const { assignments, staging } = assign(standings, situation, input, policy);
  const starts = afterStarts(policy, previous?.starts ?? [], staging.more, now);
  return {
    assignments,
    outcomes,
    rollout: {
      target,
      startedAt,
      ...shown(waves, progress, complete),
      ...(starts.length === 0 ? {} : { starts }),
      ...(halted === undefined ? {} : { halted }),
    },
    complete,
    staging,
    isDealDue: parts.isDue,
    nextCheckAt: nextCheck(standings, situation, nextRoomAt(policy, starts)),
  };
}

interface HaltInput {
  policy: UpdatePolicy;
  channel: Channel;
  target: string;
  standings: readonly Standing[];
  waves: readonly Wave[];
  machines: Machines | undefined;
  previous: Halt | undefined;
  now: number;
}

function halt({
  policy,
  channel,
  target,
  standings,
  waves,
  machines,
  previous,
  now,
}: HaltInput): Halt | undefined {
  const { haltOn } = policy.rollout;
  const steps = [target, ...floorsOf(channel)];
  const isLifted = haltOn.acknowledged.some((version) => steps.includes(version));
  const others = machines === undefined ? undefined : machineAttempts(machines, target);
  const trial = { target, attempts: standings.map(attemptOf), others, waves, previous, isLifted };
  return judgeHalt({ ...trial, names: MOST_NAMES }, haltOn, now);
}

/** When the rollout comes to a node, in ms since the epoch; undefined: it does not open over a time. */
function opening({ rollout: { linear } }: UpdatePolicy, salt: string, startedAt: string) {
  if (linear === undefined) return undefined;
  const duration = spanMs(linear.duration);
  return (node: string): number => opensAt(salt, node, Date.parse(startedAt), duration);
}

function attemptOf({ node: { name }, outcome, failure }: Standing): Attempt {
  return { name, outcome, code: failure?.code };
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
  const peopled = progress.waves.filter((wave) => wave.name !== 'rest' || totalOf(wave) > 0);
  const current = complete ? undefined : progress.waves[progress.current]?.name;
  return { waves: peopled, ...(current === undefined ? {} : { wave: current }) };
}

function nextCheck(
  standings: readonly Standing[],
  { progress, opens, closed, now }: Situation,
  roomAt: number | undefined,
): number | undefined {
  const retries = standings.map(({ outlook }) => (outlook?.next === 'retry' ? outlook.at : undefined));
  const pending = opens === undefined ? [] : standings.filter(({ outcome }) => outcome === 'pending');
  const openings = pending.map(({ node }) => opens?.(node.name));
  const all = [progress.soakEndsAt, closed?.until, roomAt, ...retries, ...openings];
  const ahead = all.filter((at) => at !== undefined).filter((at) => at > now);
  return ahead.length === 0 ? undefined : Math.min(...ahead);
}
