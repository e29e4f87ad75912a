import { Cron } from 'croner';

/**
 * The instants at which a cron expression fires in a time zone, under Careen's own rule for daylight saving.
 *
 * croner only lists wall-clock times (it is run on a clock without offsets); Temporal turns each of them into
 * one instant: a wall time that does not exist becomes the first instant after the gap, one that occurs twice
 * becomes its first occurrence. So every wall time fires exactly once, whatever the zone does.
 */
export class Recurrence {
  readonly #cron: Cron;
  readonly #zone: string;

  /** Throws on an expression that croner refuses and on a zone that Temporal does not know. */
  constructor(expression: string, zone: string) {
    zoned(0, zone);
    this.#zone = zone;
    this.#cron = new Cron(expression, { mode: '5-part', utcOffset: 0, paused: true });
  }

  /** The last firing at or before `at` (epoch milliseconds). */
  last(at: number): number | undefined {
    const [wall] = this.#cron.previousRuns(1, new Date(reachedWall(at, this.#zone) + MINUTE));
    return wall === undefined ? undefined : firstInstant(wall, this.#zone);
  }

  /** The first firing after `at` (epoch milliseconds). */
  next(at: number): number | undefined {
    const wall = this.#cron.nextRun(new Date(reachedWall(at, this.#zone)));
    return wall === null ? undefined : firstInstant(wall, this.#zone);
  }
}

const MINUTE = 60_000;

function zoned(at: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
}

/**
 * The latest wall minute that the zone's clock has shown at or before `at`, as if it were UTC. After a clock
 * was set back that is later than what it shows now: those minutes have had their one occurrence already.
 */
function reachedWall(at: number, zone: string): number {
  const now = zoned(at, zone);
  // `previous` is strictly before: a millisecond on, so that a change at this very instant is found too.
  const change = now.add({ milliseconds: 1 }).getTimeZoneTransition('previous');
  const beforeChange = change?.subtract({ milliseconds: 1 });
  const reached = Math.max(wallMs(now), beforeChange ? wallMs(beforeChange) : -Infinity);
  return Math.floor(reached / MINUTE) * MINUTE;
}

function wallMs(time: Temporal.ZonedDateTime): number {
  return time.epochMilliseconds + time.offsetNanoseconds / 1e6;
}

function firstInstant(wall: Date, zone: string): number {
  const time = zoned(wall.getTime(), 'UTC').toPlainDateTime();
  const earlier = time.toZonedDateTime(zone, { disambiguation: 'earlier' });
  if (earlier.toPlainDateTime().equals(time)) return earlier.epochMilliseconds;
  // In a gap, `earlier` lies before it, so the next change of the zone is the end of the gap.
  return (earlier.getTimeZoneTransition('next') ?? earlier).epochMilliseconds;
}
