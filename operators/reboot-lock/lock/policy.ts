import type { RebootReason, Verdict } from '#api/reasons.ts';
import { durationMs } from '#api/fields.ts';
import { delayBetweenMs } from '../group/group.ts';
import { nextOpening } from '#runtime/window/forecast.ts';
import { foreignOutage } from './availability.ts';
import { budgetOf, type Budget } from './budget.ts';
import type { NodeFacts } from './facts.ts';
import { CONTROL_PLANE_LOCK, holds, isControlPlane, type Lock } from './lock.ts';
import { limits, type Snapshot, type Subject } from './snapshot.ts';

export type Refusal = Verdict<RebootReason>;
type Policy<Context> = (subject: Subject, context: Context) => Refusal | undefined;

interface Time {
  now: number;
}

interface Places extends Time {
  /** The working budget and the last grant of each lock, by lock name. */
  budgets: ReadonlyMap<string, Budget>;
  lastGrants: ReadonlyMap<string, number>;
}

/**
 * What must hold from the first to the last instant of a turn, in the order in which it is asked.
 * Blockers (pods, alerts) and before-hooks join here, after the windows.
 */
const WILL: readonly Policy<Time>[] = [
  requested,
  grouped,
  strategyAllows,
  notForeign,
  notSkipped,
  windowsOpen,
];

/** What must hold besides for a node to be given its places. */
const PLACES: readonly Policy<Places>[] = [locksKnown, roomInAll, separated, delayed];

/** Why a node's turn must not begin, or must be called off if it has not gone past the point of no return. */
export function refused(subject: Subject, now: number): Refusal | undefined {
  return first(WILL, subject, { now });
}

/** Why a node that may have a turn cannot have its places now. */
export function noPlace(subject: Subject, places: Places): Refusal | undefined {
  return first(PLACES, subject, places);
}

function first<C>(chain: readonly Policy<C>[], subject: Subject, context: C): Refusal | undefined {
  for (const policy of chain) {
    const refusal = policy(subject, context);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function requested({ node }: Subject): Refusal | undefined {
  // A request of another boot is not one: the node went down without us in between.
  const thisBoot = node.bootID !== '' && node.state?.bootID === node.bootID;
  if (node.state?.requested === true && thisBoot) return undefined;
  return { reason: 'NotRequested', message: 'nothing on the node asks for a reboot' };
}

function grouped({ member }: Subject): Refusal | undefined {
  if ('none' in member) {
    return {
      reason: 'NoLock',
      message: 'no NodeGroup selects the node, so no strategy and no lock of its own',
    };
  }
  if (!('conflict' in member)) return undefined;
  const names = member.conflict.join(', ');
  return {
    reason: 'NoLock',
    message: `NodeGroups ${names} select the node with equal priority; raise one of them`,
  };
}

function strategyAllows({ member }: Subject): Refusal | undefined {
  if (!('group' in member)) return undefined;
  const { name, invalid, spec } = member.group;
  if (invalid !== undefined) {
    return { reason: 'StrategyOff', message: `NodeGroup ${name} cannot be evaluated: ${invalid}` };
  }
  if (spec.reboot.strategy !== 'off') return undefined;
  return { reason: 'StrategyOff', message: `NodeGroup ${name} has reboot strategy off` };
}

/** A node that others cordoned is theirs: it is not drained by us and stays cordoned after. */
function notForeign({ node }: Subject): Refusal | undefined {
  const outage = foreignOutage(node);
  // A node of ours that stops being Ready keeps its turn: it is unavailable either way, and is granted nothing.
  if (outage === undefined || (node.mark !== undefined && outage !== 'cordoned by others')) return undefined;
  return { reason: 'NodeUnavailable', message: `the node is ${outage}` };
}

function notSkipped({ node }: Subject, { now }: Time): Refusal | undefined {
  const until = pausedUntil(node, now);
  if (until <= now) return undefined;
  return { reason: 'Skipped', message: `its last turn came to nothing; next turn not before ${iso(until)}` };
}

/** How long a node waits for its turn again after its drain or its grant came to nothing. */
export const PAUSE_MS = 10 * 60_000;

/** Until when the node pauses, 0 if it does not. A pause longer than any that is given is a wrong clock's. */
export function pausedUntil({ state }: NodeFacts, now: number): number {
  const notBefore = state?.notBefore ?? 0;
  return notBefore > now && notBefore <= now + PAUSE_MS ? notBefore : 0;
}

function windowsOpen({ windows }: Subject, { now }: Time): Refusal | undefined {
  for (const { name, window } of windows) {
    if (window.invalid !== undefined) {
      return { reason: 'WindowInvalid', message: `RebootWindow ${name}: ${window.invalid}` };
    }
  }
  const closed = windows.find(({ window }) => !window.at(now).open);
  if (closed === undefined) return undefined;
  const { denied } = closed.window.at(now);
  const nextOpen = nextOpening(closed.window, now);
  const until =
    nextOpen === undefined ? 'and does not open again' : `until ${new Date(nextOpen).toISOString()}`;
  const because = denied === undefined ? '' : ` (${denied})`;
  return { reason: 'WindowClosed', message: `RebootWindow ${closed.name} is closed ${until}${because}` };
}

/** The locks that no turn goes on without, whatever else covers the node. */
export function locksKnown({ node, member, locks }: Subject): Refusal | undefined {
  const have = new Set(locks.map(({ name }) => name));
  const group = 'group' in member ? member.group.name : undefined;
  const wanted = [
    ...(group === undefined ? [] : [group]),
    ...(isControlPlane(node) ? [CONTROL_PLANE_LOCK] : []),
  ];
  const missing = wanted.find((name) => !have.has(name));
  if (missing === undefined) return undefined;
  return { reason: 'NoLock', message: `RebootLock ${missing} does not exist yet or does not cover the node` };
}

function roomInAll(subject: Subject, { budgets }: Places): Refusal | undefined {
  for (const lock of subject.locks) {
    const budget = budgets.get(lock.name);
    if (budget === undefined || holds(lock, subject.node.name)) continue;
    if (lock.invalid === undefined && !limits(lock, subject)) continue;
    const full = budget.room(subject.node);
    if (full !== undefined) return full;
  }
  return undefined;
}

function separated({ node, locks }: Subject, { now, lastGrants }: Places): Refusal | undefined {
  for (const lock of locks) {
    const { minSeparation } = lock.spec;
    if (minSeparation === undefined || holds(lock, node.name)) continue;
    const free = (lastGrants.get(lock.name) ?? 0) + durationMs(minSeparation);
    if (lastGrants.has(lock.name) && now < free) {
      return { reason: 'MinSeparation', message: `RebootLock ${lock.name}: next place at ${iso(free)}` };
    }
  }
  return undefined;
}

function delayed({ node, member, locks }: Subject, { now, lastGrants }: Places): Refusal | undefined {
  if (!('group' in member)) return undefined;
  const { name } = member.group;
  const own: Lock | undefined = locks.find((lock) => lock.name === name);
  const last = lastGrants.get(name);
  if (own === undefined || last === undefined || holds(own, node.name)) return undefined;
  const free = last + delayBetweenMs(member.group);
  if (now >= free) return undefined;
  return { reason: 'DelayBetween', message: `NodeGroup ${name}: next reboot at ${iso(free)}` };
}

/** Reasons that end when others are done or time passes: a node that waits for one of these will move. */
const WAITS_FOR_ROOM: ReadonlySet<RebootReason> = new Set([
  'LockFull',
  'DomainsFull',
  'ControlPlane',
  'MinSeparation',
  'DelayBetween',
]);

/**
 * Why the operator's own node lets others go first although it could have its places: its reboot costs a handover.
 * It waits only for nodes that share a lock with it, and while somebody holds a place for them to wait for.
 */
export function goesLast(
  { node, locks }: Subject,
  ownNode: string | undefined,
  waiting: readonly Waiter[],
): Refusal | undefined {
  if (node.name !== ownNode) return undefined;
  for (const { node: other, verdict, locks: theirs } of waiting) {
    const shared = locks.filter(({ name }) => theirs.includes(name));
    const busy = shared.some(({ holders }) => holders.some(({ id }) => id !== node.name));
    if (busy && WAITS_FOR_ROOM.has(verdict.reason)) {
      const [lock] = shared;
      const message = `RebootLock ${lock?.name}: ${other} goes first; this node runs the operator and goes last`;
      return { reason: 'LockFull', message };
    }
  }
  return undefined;
}

/** Another node that asks and has no place. */
interface Waiter {
  node: string;
  verdict: Refusal;
  /** Names of the locks that it needs. */
  locks: readonly string[];
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

/**
 * Why a node that holds its places must not be granted its reboot now: a lock is gone, or others went down since
 * it took them.
 */
export function overBudget(subject: Subject, { nodes }: Pick<Snapshot, 'nodes'>): Refusal | undefined {
  const unknown = locksKnown(subject);
  if (unknown !== undefined) return unknown;
  for (const lock of subject.locks) {
    if (lock.invalid === undefined && !limits(lock, subject)) continue;
    const full = budgetOf(lock, nodes).room(subject.node);
    if (full !== undefined) return full;
  }
  return undefined;
}
