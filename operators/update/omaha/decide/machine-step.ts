import type { Build } from '#api/build.ts';
import type { RolloutReason, Verdict } from '#api/reasons.ts';
import type { Channel } from '../../channel/read-channel.ts';
import { releaseOf } from '../../channel/read-channel.ts';
import { nextStep } from '../../rollout/step.ts';
import type { Service } from './service.ts';

/** What a machine that runs `version` is to install next, or why there is nothing for it. */
export type MachineStep =
  | { target: string; version: string; build: Build; obstacle?: undefined }
  | { target?: undefined; obstacle: Verdict<RolloutReason> };

/** The group's target, if it may still be offered: the channel and the pin may have changed since it was planned. */
export function targetOf({
  channel,
  rollout,
  policy,
  group,
}: Service): { target: string; channel: Channel } | { obstacle: Verdict<RolloutReason> } {
  if ('missing' in channel) return refuse('NoChannel', channel.missing);
  if (rollout === undefined || (policy.version ?? rollout.target) !== rollout.target) {
    return refuse('NotPlanned', `the rollout of group ${group} is being planned`);
  }
  const { target } = rollout;
  if (releaseOf(channel, target) === undefined) {
    return refuse(
      'NotPlanned',
      `${target} is not in channel ${channel.name} any more; another target is being chosen`,
    );
  }
  if (channel.blocked.has(target))
    return refuse('Blocked', `${target} is blocked in channel ${channel.name}`);
  return { target, channel };
}

export function machineStep(service: Service, version: string, arch: string): MachineStep {
  const found = targetOf(service);
  if ('obstacle' in found) return found;
  const { target, channel } = found;
  const step = nextStep(channel, version, target, service.policy.allowDowngrade);
  if (step.obstacle !== undefined) return step;
  const builds = releaseOf(channel, step.version)?.builds ?? [];
  if (builds.length === 0) return refuse('NoPackage', `${step.version} has no package for update_engine`);
  const build = builds.find(({ architecture }) => architecture === arch);
  if (build === undefined) return refuse('WrongArchitecture', `${step.version} has no package for ${arch}`);
  return { target, version: step.version, build };
}

function refuse(reason: RolloutReason, message: string): { obstacle: Verdict<RolloutReason> } {
  return { obstacle: { reason, message } };
}
