import { spanMs } from '#operators/rollout/span.ts';
import type { Build } from '#api/build.ts';
import type { Verdict } from '#api/reasons.ts';
import { compareVersions } from '#api/version.ts';
import type { Outlook } from '../../rollout/retry.ts';
import { outlookOf } from '../../rollout/retry.ts';
import type { OmahaEvent } from '../protocol/request.ts';
import type { Decision } from '../store/decision.ts';
import type { GroupView } from '../store/group-view.ts';
import type { Machine, RolloutOutcome } from '../store/machine.ts';
import { takeEvents } from './after-events.ts';
import { Course } from './course.ts';
import { answerOf } from './machine-chain.ts';
import { fullVerdict, haltOf, machineLimits } from './machine-limits.ts';
import { waveOf } from './machine-place.ts';
import type { MachineStep } from './machine-step.ts';
import { machineStep, targetOf } from './machine-step.ts';
import type { Service } from './service.ts';

/** One app element of a request, as it bears on the decision. */
export interface Asked {
  events: readonly OmahaEvent[];
  /** It asks for an update; else it only tells. */
  check: boolean;
  /** A person at the machine asks. */
  onDemand: boolean;
  labels: Readonly<Record<string, string>>;
  /** The group of before, when the machine belongs to another one now. */
  movedFrom?: string | undefined;
}

/** What becomes of the machine, and what it is offered if that is committed; without an offer it is told to wait. */
export interface Judgement {
  decision: Decision;
  offer?: { version: string; build: Build } | undefined;
}

/**
 * Decides over one machine, from what is known of it, of its group and of the time, and from nothing else: what it
 * told is taken in, a deadline that has passed is noticed, and if it asks for an update, the first reason that
 * holds it is kept, or it asks the store for a place.
 *
 * The request that tells of an update's end is not given the next one: the machine asks again.
 */
export function decideMachine(
  service: Service,
  machine: Machine,
  view: GroupView,
  asked: Asked,
  now: number,
): Judgement {
  const course = new Course(machine, now);
  const { omaha, policy } = service;
  takeEvents(course, asked.events, { omaha, allowDowngrade: policy.allowDowngrade, now });
  course.expire();
  if (asked.movedFrom !== undefined && course.machine.phase === 'Granted') course.release('Waiting');
  const offer = asked.check ? check({ service, course, view, asked, now }) : undefined;
  stand(service, course, asked);
  return { decision: course.decision, offer };
}

interface Check {
  service: Service;
  course: Course;
  view: GroupView;
  asked: Asked;
  now: number;
}

function check(given: Check): Judgement['offer'] {
  const { service, course } = given;
  const { machine } = course;
  if (course.hasCompleted) {
    course.rest();
    return undefined;
  }
  const step = machineStep(service, machine.version, machine.arch);
  if (step.obstacle !== undefined) return refuse(course, step.obstacle);
  if (compareVersions(step.version, machine.version) === 0) {
    if (machine.grant !== undefined) course.release('Idle');
    course.rest();
    return undefined;
  }
  return answer(given, step);
}

function answer(
  { service, course, view, asked, now }: Check,
  step: Extract<MachineStep, { build: Build }>,
): Judgement['offer'] {
  const { target, version, build } = step;
  const atOnce = asked.onDemand && service.omaha.onDemand === 'AtOnce';
  const { machine } = course;
  const found = answerOf({
    service,
    machine,
    target,
    version,
    wave: waveOf(service, machine, asked.labels),
    outlook: outlookFor(service, machine, version),
    halted: haltOf(service, view, target),
    atOnce,
    now,
  });
  if (found !== undefined && 'hold' in found) return refuse(course, found.hold);
  if (found === undefined) {
    const limits = machineLimits(service, view, target, atOnce);
    course.ask({ version, target, deadline: now + spanMs(service.omaha.timeout) }, limits, (limit) =>
      fullVerdict(limit, version, service),
    );
  }
  return { version, build };
}

/** A grant of which nothing was fetched yet is taken back with the reason that now stands against it. */
function refuse(course: Course, { reason, message }: Verdict): undefined {
  if (course.machine.phase === 'Granted') course.release('Waiting');
  course.hold(reason, message);
}

function outlookFor({ policy }: Service, { failures }: Machine, version: string): Outlook | undefined {
  const failure = failures.find((one) => one.version === version);
  if (failure === undefined) return undefined;
  const at = failure.kind === 'rollback' ? 'boot' : 'staging';
  return outlookOf({ at, times: failure.times, since: failure.at }, version, policy.rollout);
}

/** Notes where the machine stands in the rollout; waves and the halt are judged by the sums of that. */
function stand(service: Service, course: Course, { labels }: Asked): void {
  const found = targetOf(service);
  if ('obstacle' in found) return;
  const { machine } = course;
  const wave = waveOf(service, machine, labels);
  if (wave === undefined) return;
  course.stands({ target: found.target, wave, outcome: outcomeOf(service, machine, found.target) });
}

/** As the outcome of a node: a step of the way that failed for good has failed the target. */
function outcomeOf(service: Service, machine: Machine, target: string): RolloutOutcome {
  if (compareVersions(machine.version, target) === 0) return 'succeeded';
  const step = machineStep(service, machine.version, machine.arch);
  if (step.obstacle !== undefined) return 'ineligible';
  const outlook = outlookFor(service, machine, step.version);
  if (outlook?.next === 'quarantined') return 'failed';
  if (outlook?.next === 'exhausted') return outlook.accepted ? 'accepted' : 'failed';
  return 'pending';
}
