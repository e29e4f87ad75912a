import { isDeepStrictEqual } from 'node:util';
import type { RolloutReason, Verdict } from '#api/reasons.ts';
import type { Channel } from '../channel/read-channel.ts';
import { releaseOf } from '../channel/read-channel.ts';
import type { GroupPolicy } from '../group/read-group.ts';
import type { Assignment } from '../rollout/chain.ts';
import type { WantedUpdate } from '../rollout/facts.ts';

/** What an assignment is written out with. */
export interface Context {
  group: string;
  policy: GroupPolicy;
  /** Undefined when the group has none; then nothing is offered. */
  channel: Channel | undefined;
  /** What the node runs, if it has said so. */
  running: string | undefined;
  /** The verdict has lasted long enough to be written. */
  settled: boolean;
  /** RFC 3339. */
  now: string;
}

/**
 * `NodeState.spec.update` as it should be, given as it is. Returns `wanted` itself when there is nothing to
 * write. A hold that is not settled yet rides along only with a write that takes a version away.
 */
export function desiredUpdate(wanted: WantedUpdate, assignment: Assignment, context: Context): WantedUpdate {
  if (assignment.action === 'leave') return wanted;
  const next = versionPart(wanted, assignment, context);
  const held = withHold(wanted, next, assignment, context);
  return sameUpdate(wanted, held) ? wanted : held;
}

/** Whether two wants are the same to an agent: the order of keys, and of signing keys, does not matter. */
export function sameUpdate(a: WantedUpdate, b: WantedUpdate): boolean {
  return isDeepStrictEqual(comparable(a), comparable(b));
}

/** What is wanted of a node that belongs to no group: nothing, and the node says why. */
export function groupless(wanted: WantedUpdate, verdict: Verdict<RolloutReason>, now: string): WantedUpdate {
  const next = { hold: holdOf(wanted, verdict, now) };
  return sameUpdate(wanted, next) ? wanted : next;
}

function versionPart(
  wanted: WantedUpdate,
  assignment: Exclude<Assignment, { action: 'leave' }>,
  context: Context,
): WantedUpdate {
  const { group, policy } = context;
  const named = { group, ...(policy.update === undefined ? {} : { channel: policy.update.channel }) };
  switch (assignment.action) {
    case 'withdraw':
      return named;
    case 'arrived':
      return arrived(wanted, named, assignment.version);
    case 'offer':
      return offered(named, assignment.version, assignment.attempt, context) ?? named;
    case 'keep': {
      // A node that keeps its version hears of a changed payload, key or gate.
      const { version = '', attempt = 1 } = wanted;
      return offered(named, version, attempt, context) ?? named;
    }
  }
}

/** What the node was given to get here may stay: taking it away would cost a write and change nothing. */
function arrived(wanted: WantedUpdate, named: WantedUpdate, version: string): WantedUpdate {
  const isSaid = wanted.version === undefined || wanted.version === version;
  return isSaid && hasSameNames(wanted, named) && wanted.hold === undefined ? wanted : { ...named, version };
}

function offered(
  named: WantedUpdate,
  version: string,
  attempt: number,
  { channel, policy: { update, health } }: Context,
): WantedUpdate | undefined {
  const release = channel === undefined ? undefined : releaseOf(channel, version);
  if (channel === undefined || release === undefined || update === undefined) return undefined;
  const { payload } = release;
  if (payload === undefined) return undefined;
  const { engine, allowDowngrade } = update;
  return { ...named, version, payload, keys: [...channel.keys], engine, attempt, allowDowngrade, health };
}

function withHold(
  wanted: WantedUpdate,
  next: WantedUpdate,
  assignment: Assignment,
  { running, settled, now }: Context,
): WantedUpdate {
  const { verdict, action } = assignment;
  if (verdict.reason === 'UpToDate' || verdict.reason === 'Offered') return next;
  // A node that runs what it was given last has nothing that could be taken from it.
  const isTakenAway =
    wanted.version !== running && wanted.version !== undefined && next.version === undefined;
  if (settled || isTakenAway) return { ...next, hold: holdOf(wanted, verdict, now) };
  const { hold: _, ...rest } = wanted;
  const isSame = action === 'withdraw' ? hasSameNames(wanted, next) : sameUpdate(rest, next);
  // Not settled: what is written already stays for the moment.
  return isSame ? wanted : next;
}

function hasSameNames(wanted: WantedUpdate, next: WantedUpdate): boolean {
  return wanted.group === next.group && wanted.channel === next.channel;
}

function holdOf(wanted: WantedUpdate, { reason, message }: Verdict<RolloutReason>, now: string): Hold {
  const since = wanted.hold?.reason === reason ? wanted.hold.since : now;
  return { reason, message: message.slice(0, 1024), since };
}

type Hold = NonNullable<WantedUpdate['hold']>;

function comparable(update: WantedUpdate): unknown {
  const keys = update.keys === undefined ? undefined : update.keys.toSorted();
  // Through JSON: an absent field and an undefined one are the same.
  return JSON.parse(JSON.stringify({ ...update, keys }));
}
