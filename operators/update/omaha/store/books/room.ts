import type { Limit, Limits } from '../decision.ts';
import type { Ledger } from './ledger.ts';

/** The longest period that is reckoned with: when places were given is forgotten after it. */
export const LONGEST_PERIOD_MS = 31 * 86_400_000;

/** When the group's place with this number was given; undefined when that is forgotten. */
export type StartedAt = (group: string, number: number) => number | undefined;

/** What a grant is asked against. */
export interface Room {
  ledger: Ledger;
  /** How many of the ledger's places are the asking machine's own: it may have another one in their stead. */
  own: 0 | 1;
  now: number;
  startedAt: StartedAt;
}

/** The limit that leaves no room for one more grant, or undefined. A machine that `holds` a place needs none. */
export function fullLimit(room: Room, limits: Limits, holds: boolean): Limit | undefined {
  const { ledger, own } = room;
  const { failures, period } = limits;
  if (failures !== undefined && ledger.failed(failures.target) >= failures.count) return 'failures';
  const others = ledger.count('inProgress') - own + ledger.nodes;
  if (!holds && others + 1 > limits.inProgress) return 'inProgress';
  if (period !== undefined && !hasRoomInPeriod(room, period)) return 'period';
  return undefined;
}

/**
 * Whether one more place may be given in the period. Places are numbered, so the question is only when the
 * `count`th newest was given: one look, however many there were.
 */
function hasRoomInPeriod({ ledger, now, startedAt }: Room, period: NonNullable<Limits['period']>): boolean {
  if (period.count < 1) return false;
  const number = ledger.starts - Math.floor(period.count) + 1;
  if (number < 1) return true;
  const at = ledger.startedAt(number) ?? startedAt(ledger.group, number);
  return at === undefined || at <= now - Math.min(period.ms, LONGEST_PERIOD_MS);
}
