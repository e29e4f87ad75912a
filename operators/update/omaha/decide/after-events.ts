import { spanMs } from '#operators/rollout/span.ts';
import type { OmahaService } from '#api/omaha.ts';
import { compareVersions } from '#api/version.ts';
import { FLATCAR_APP } from '../protocol/app-id.ts';
import { decodeErrorCode, errorWords, ROLLBACK } from '../protocol/error-code.ts';
import type { OmahaEvent } from '../protocol/request.ts';
import type { Machine } from '../store/machine.ts';
import type { Course } from './course.ts';

export interface EventContext {
  omaha: OmahaService;
  allowDowngrade: boolean;
  /** ms since the epoch. */
  now: number;
}

type Told = (course: Course, event: OmahaEvent, context: EventContext) => void;

/** Events that mean something, by type and result (`type,result`); all others are acknowledged and dropped. */
const MEANINGS: Readonly<Record<string, Told>> = {
  '3,0': failed,
  '3,1': installed,
  '3,2': back,
  '13,1': (course, _event, context) => course.progress('Downloading', deadline(context, 'timeout')),
  '14,1': (course, _event, context) => course.progress('Downloaded', deadline(context, 'timeout')),
  '800,1': (course, _event, context) => course.progress('Installed', deadline(context, 'rebootTimeout')),
};

/** Takes in what a machine told since it was last heard of, in the order in which it told it. */
export function takeEvents(course: Course, events: readonly OmahaEvent[], context: EventContext): void {
  for (const event of events) MEANINGS[`${event.type},${event.result}`]?.(course, event, context);
  if (hasArrived(course.machine, context)) course.complete();
}

/**
 * An OS that has installed a version is not there before it has rebooted, so its place is kept; any other
 * application is.
 */
function installed(course: Course, _event: OmahaEvent, context: EventContext): void {
  if (course.machine.app !== FLATCAR_APP) return course.complete();
  course.extend(deadline(context, 'rebootTimeout'));
}

/**
 * update_engine tells with every check which version it ran before, and names one only after the reboot into
 * another. None named, in the midst of an update: the client was restarted and has forgotten it. One named, but the
 * granted version does not run: it is not to be believed.
 */
function back(course: Course, _event: OmahaEvent, context: EventContext): void {
  const { machine } = course;
  if (machine.grant === undefined) return;
  if (machine.app !== FLATCAR_APP) return course.complete();
  if (!hasArrived(machine, context)) course.restarted();
}

function failed(course: Course, { errorCode = 1 }: OmahaEvent): void {
  const error = decodeErrorCode(errorCode);
  const words = errorWords(error);
  if (error.code === ROLLBACK) course.rolledBack(error, words);
  else course.failed(error, words);
}

/** Whether the machine runs what it was given, or something newer. */
function hasArrived({ grant, version }: Machine, { allowDowngrade }: EventContext): boolean {
  if (grant === undefined) return false;
  const order = compareVersions(version, grant.version);
  return order === 0 || (order > 0 && !allowDowngrade);
}

function deadline({ omaha, now }: EventContext, span: 'timeout' | 'rebootTimeout'): number {
  return now + spanMs(omaha[span]);
}
