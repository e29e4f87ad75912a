import type { RolloutReason, Verdict } from '#api/reasons.ts';
import type { Channel } from '../channel/read-channel.ts';
import { currentRelease, releaseOf } from '../channel/read-channel.ts';
import type { NodeFacts } from './facts.ts';
import { runningVersion } from './facts.ts';
import type { UpdatePolicy } from './policy.ts';
import { isOnItsWay } from './progress.ts';
import { nextStep } from './step.ts';
import type { RolloutStatus } from './rollout-status.ts';

/** The version that a group goes to, or why it goes nowhere. */
export type Target =
  { version: string; obstacle?: undefined } | { version?: undefined; obstacle: Verdict<RolloutReason> };

/** Why a channel cannot be used, for the case that it cannot. */
export type ChannelOrWhy = Channel | { missing: string };

/**
 * Chooses a group's target: the pin, or the channel's newest release that is not blocked.
 *
 * While the group is paused and nodes are on their way to the rollout's target (`previous`), or it is halted,
 * that stays the target: the nodes finish, and their failures still halt it. A newer release waits for the
 * pause's end.
 */
export function chooseTarget(
  policy: UpdatePolicy,
  channel: ChannelOrWhy,
  nodes: readonly NodeFacts[],
  previous: Pick<RolloutStatus, 'target' | 'halted'> | undefined,
): Target {
  if ('missing' in channel) return obstacle('NoChannel', channel.missing);
  if (policy.paused && previous !== undefined && isUsable(channel, previous.target)) {
    const isUnfinished = nodes.some(
      (node) => isOnItsWay(node) && isStepTo(previous.target, node, policy, channel),
    );
    if (isUnfinished || previous.halted !== undefined) return { version: previous.target };
  }
  return policy.version === undefined ? newest(channel) : pinned(channel, policy.version);
}

/** Whether what the node works on leads to `target`; it may have been given another one already. */
function isStepTo(
  target: string,
  node: NodeFacts,
  { allowDowngrade }: UpdatePolicy,
  channel: Channel,
): boolean {
  const running = runningVersion(node) ?? target;
  const { version } = nextStep(channel, running, target, allowDowngrade);
  return version === node.wanted.version && isUsable(channel, version);
}

function newest(channel: Channel): Target {
  const release = currentRelease(channel);
  if (release !== undefined) return { version: release.version };
  return obstacle('NoChannel', `channel ${channel.name} has no release that is not blocked`);
}

function pinned(channel: Channel, version: string): Target {
  if (releaseOf(channel, version) === undefined) {
    return obstacle('PinNotFound', `pinned to ${version}, which channel ${channel.name} does not have`);
  }
  // A pin names one version and no other; a blocked one leaves the nodes where they are.
  if (!isUsable(channel, version)) {
    return obstacle('Blocked', `pinned to ${version}, which is blocked in channel ${channel.name}`);
  }
  return { version };
}

function isUsable(channel: Channel, version: string | undefined): boolean {
  return version !== undefined && releaseOf(channel, version) !== undefined && !channel.blocked.has(version);
}

function obstacle(reason: RolloutReason, message: string): Target {
  return { obstacle: { reason, message } };
}
