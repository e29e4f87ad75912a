import type { Build } from '#api/build.ts';
import { compareVersions } from '#api/version.ts';
import { targetOf } from '../decide/machine-step.ts';
import type { Service } from '../decide/service.ts';
import type { OmahaRequest } from '../protocol/request.ts';
import type { UpdateCheckAnswer } from '../protocol/response.ts';
import { manifestOf } from './manifest-of.ts';

/** So many floors are given in one answer; the mirror asks again for the rest. */
const MOST_FLOORS = 5;

const NOTHING: UpdateCheckAnswer = { status: 'noupdate', codebases: [], manifests: [] };

/** Whether a server asks that mirrors this one, and not a machine. */
export function isMirror({ installSource, version }: OmahaRequest): boolean {
  return installSource === 'scheduler' && version === 'CoreOSUpdateEngine-0.1.0.0';
}

interface Step {
  version: string;
  build: Build;
  isFloor: boolean;
  floorReason: string | undefined;
}

/**
 * What a server that mirrors this one is given: every step from what it has to the group's target, in one answer.
 * One that takes no more than one manifest must not be given the target where a floor lies before it.
 */
export function mirrorAnswer(
  service: Service,
  version: string,
  arch: string,
  takesMany: boolean,
): UpdateCheckAnswer {
  const found = targetOf(service);
  if ('obstacle' in found || service.policy.paused) return NOTHING;
  const { target, channel } = found;
  const steps = channel.releases
    .filter((one) => compareVersions(one.version, version) > 0 && compareVersions(one.version, target) <= 0)
    .filter((one) => (one.floor || one.version === target) && !channel.blocked.has(one.version))
    .flatMap(({ version: step, builds, floor, floorReason }): Step[] => {
      const build = builds?.find(({ architecture }) => architecture === arch);
      return build === undefined ? [] : [{ version: step, build, isFloor: floor, floorReason }];
    })
    .toReversed();
  const [first] = steps;
  if (first === undefined || (steps.length > 1 && !takesMany)) return NOTHING;
  if (!takesMany)
    return {
      status: 'ok',
      codebases: first.build.codebases,
      manifests: [manifestOf(first.version, first.build)],
    };
  const given = steps.length > MOST_FLOORS + 1 ? steps.slice(0, MOST_FLOORS) : steps;
  return {
    status: 'ok',
    codebases: [...new Set(given.flatMap(({ build }) => build.codebases))],
    manifests: given.map(({ version: step, build, isFloor, floorReason }) => ({
      ...manifestOf(step, build),
      isFloor,
      floorReason: isFloor ? floorReason : undefined,
      isTarget: step === target,
    })),
  };
}
