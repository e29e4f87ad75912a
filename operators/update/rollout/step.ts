import type { RolloutReason, Verdict } from '#api/reasons.ts';
import { compareVersions } from '#api/version.ts';
import type { Channel } from '../channel/read-channel.ts';

/** The next version on a node's way to the target, or why there is none. Equal to `running` on arrival. */
export type Step =
  { version: string; obstacle?: undefined } | { version?: undefined; obstacle: Verdict<RolloutReason> };

/**
 * The next step of a node that runs `running` on its way to `target`: the lowest floor strictly between the
 * two, else the target itself. Floors bind upwards only, and a blocked floor is not passed by: the way past it
 * is shut until it is unblocked or another floor replaces it.
 */
export function nextStep(channel: Channel, running: string, target: string, allowDowngrade: boolean): Step {
  if (running === target) return { version: target };
  if (compareVersions(target, running) < 0) {
    return allowDowngrade ? { version: target } : { obstacle: downgrade(channel, running, target) };
  }
  const floor = channel.releases.findLast(
    ({ version, floor }) =>
      floor && compareVersions(version, running) > 0 && compareVersions(version, target) < 0,
  );
  if (floor === undefined) return { version: target };
  if (!channel.blocked.has(floor.version)) return { version: floor.version };
  const why = floor.floorReason === undefined ? '' : ` (${floor.floorReason})`;
  const message = `${floor.version} must be passed through on the way to ${target}${why}, and it is blocked`;
  return { obstacle: { reason: 'Blocked', message } };
}

function downgrade(channel: Channel, running: string, target: string): Verdict<'DowngradeNotAllowed'> {
  const newest = channel.releases[0]?.version;
  const isBeyond = newest !== undefined && compareVersions(running, newest) > 0;
  const what = channel.blocked.has(running)
    ? `${running}, which is blocked`
    : isBeyond
      ? `${running}, newer than anything in channel ${channel.name}`
      : running;
  return {
    reason: 'DowngradeNotAllowed',
    message: `runs ${what}; ${target} is older, and allowDowngrade is not set`,
  };
}
