import { durationMs } from '#api/fields.ts';
import type { WindowSpan } from '#api/reboot-window.ts';
import { Recurrence } from './recurrence.ts';

/** Whether a span covers an instant, and the next instant at which that may change (absent: never). */
export interface Coverage {
  covered: boolean;
  until?: number | undefined;
}

/** A span that answers for any instant (epoch milliseconds). */
export type Span = (at: number) => Coverage;

const LONGEST = 168 * 3_600_000;

/** Compiles a span; throws an Error with a message for the user when it cannot be evaluated. */
export function compileSpan(span: WindowSpan): Span {
  if (span.from !== undefined && span.to !== undefined) return blackout(span.from, span.to);
  if (span.duration === undefined) throw new Error('a span needs duration, or from and to');
  return recurring(recurrence(span), lengthOf(span.duration));
}

/** First instant included, last excluded: a span that ends where another begins does not overlap it. */
function recurring(starts: Recurrence, length: number): Span {
  return (at) => {
    const last = starts.last(at);
    if (last !== undefined && at < last + length) return { covered: true, until: last + length };
    return { covered: false, until: starts.next(at) };
  };
}

function blackout(fromText: string, toText: string): Span {
  const from = instantMs(fromText);
  const to = instantMs(toText);
  if (from >= to) throw new Error(`the blackout from ${fromText} to ${toText} ends before it begins`);
  return (at) => {
    if (at < from) return { covered: false, until: from };
    return at < to ? { covered: true, until: to } : { covered: false };
  };
}

function lengthOf(text: string): number {
  const length = durationMs(text);
  if (length <= 0 || length > LONGEST) {
    throw new Error(`duration ${text} is out of range; give more than 0s and at most 168h`);
  }
  return length;
}

function recurrence({ schedule, start, timeZone }: WindowSpan): Recurrence {
  const expression = schedule ?? (start === undefined ? undefined : cronOf(start));
  if (expression === undefined) throw new Error('a span needs schedule (cron) or start ("[Day ]HH:MM")');
  checkZone(timeZone);
  try {
    return new Recurrence(expression, timeZone);
  } catch (error) {
    throw new Error(`schedule "${expression}" is not a cron expression of five fields: ${text(error)}`, {
      cause: error,
    });
  }
}

function checkZone(zone: string): void {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
  } catch (error) {
    throw new Error(`time zone "${zone}" is unknown; use an IANA name such as Europe/Berlin`, {
      cause: error,
    });
  }
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** locksmith's `[Day ]HH:MM` as a cron expression. */
function cronOf(start: string): string {
  const parts = /^(?:([A-Za-z]{3}) )?([0-9]{2}):([0-9]{2})$/.exec(start);
  const day = parts?.[1] === undefined ? undefined : DAYS.indexOf(parts[1].toLowerCase());
  if (parts === null || day === -1) {
    throw new Error(`start "${start}" is not locksmith's "[Day ]HH:MM", such as "Thu 23:00"`);
  }
  return `${Number(parts[3])} ${Number(parts[2])} * * ${day ?? '*'}`;
}

function instantMs(value: string): number {
  try {
    return Temporal.Instant.from(value).epochMilliseconds;
  } catch (error) {
    throw new Error(`"${value}" is not an instant such as 2026-12-24T00:00:00Z`, { cause: error });
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
