import { durationMs } from '#api/fields.ts';
import type { RebootReason, Verdict } from '#api/reasons.ts';
import type { Holder } from '#api/reboot-lock.ts';
import { minReadyMs } from '../group/group.ts';
import { foreignOutage } from '../lock/availability.ts';
import { back, goingDown, notJudged, rebooted } from '../lock/evidence.ts';
import {
  asksAnew,
  begun,
  drainIsOver,
  inFlight,
  openGrant,
  reported,
  type NodeFacts,
} from '../lock/facts.ts';
import { bootOfTurn } from '../lock/holder.ts';
import { holds } from '../lock/lock.ts';
import { overBudget, PAUSE_MS, refused } from '../lock/policy.ts';
import type { Snapshot, Subject } from '../lock/snapshot.ts';
import type { DrainState } from '../drain/plan.ts';
import { openUntil } from '#runtime/window/forecast.ts';

type Told = Verdict<RebootReason>;

/** The next thing to do for a node in its turn. Every step is repeated from facts until it shows in them. */
export type Step =
  /** Nothing of ours is left on the node, or the turn has not begun. */
  | { do: 'Nothing' }
  | {
      do: 'Wait';
      verdict: Told;
      againMs?: number;
      /** Its places do not suffice any more; if that lasts it gives them back. */
      held?: true;
    }
  | { do: 'Cordon' }
  | { do: 'Drain'; force: boolean }
  /**
   * `lift`: take the cordon off and keep the mark, and then write the grant. The operator itself goes down with the
   * node, and must be able to be scheduled there when it is back, since nobody else could lift the cordon then.
   */
  | { do: 'Grant'; notAfter: number; lift?: true }
  /** Take an open grant back; the node keeps its place. */
  | { do: 'Revoke'; verdict: Told }
  /** Take the grant back, uncordon and give the place back. */
  | { do: 'CallOff'; verdict: Told; notBefore?: number }
  | { do: 'Uncordon' };

/** What the operator knows besides the snapshot. */
export interface Progress {
  drain?: DrainState | undefined;
  /** Since when the budget is exceeded without the node's doing, epoch milliseconds. */
  overSince?: number | undefined;
}

interface Turn extends Progress {
  /** When it began, epoch milliseconds. */
  since: number;
}

/** A grant that is not accepted in this time is of no use: the agent does not answer. */
export const GRANT_MS = 5 * 60_000;
/** Clocks may differ by this much before a grant that the operator thinks expired is taken back. */
const SKEW_MS = 30_000;
/** How long a node keeps its place while others went down besides it. */
export const OVER_BUDGET_MS = 60_000;
const OVER_BUDGET_PAUSE_MS = 30_000;

/** What to do next for one node; pure, over one snapshot. */
export function nextStep(subject: Subject, snapshot: Snapshot, progress: Progress): Step {
  const { node } = subject;
  const holder = holderOf(subject, snapshot);
  if (holder === undefined) return { do: 'Nothing' };
  const { now } = snapshot;
  if (rebooted(holder, node)) {
    const missing = back(holder, node, { now, minReadyMs: minReadyMs(subject.member) });
    return afterReboot(subject, missing);
  }
  if (inFlight(node)) return { do: 'Wait', verdict: goingDown(holder, node, now) };
  if (node.mark !== undefined && !reported(node)) return { do: 'Wait', verdict: UNREPORTED };
  const refusal = refused(subject, now);
  if (refusal === undefined)
    return beforeReboot(subject, snapshot, { ...progress, since: began(holder, node) });
  if (drainIsOver(node)) return afterDrain(subject, holder, now);
  return begun(node) ? { do: 'CallOff', verdict: refusal } : { do: 'Nothing' };
}

/** The agent needs the drain no longer: the node serves again in the boot that it had. */
function afterDrain({ node, member }: Subject, holder: Holder, now: number): Step {
  const missing = back(holder, node, { now, minReadyMs: minReadyMs(member) });
  if (missing !== undefined) return waitToServe(missing, node, member);
  return { do: 'CallOff', verdict: { reason: 'Uncordoning', message: 'its configuration is changed' } };
}

/** Without its agent's word nobody knows whether the node has accepted a grant: nothing is called off. */
const UNREPORTED: Told = {
  reason: 'NodeUnavailable',
  message: 'its NodeState is lost in the middle of its turn; kept as it is until its agent reports',
};

/** What a node is told whose cordon is off before its time. */
export const DRAINED_AGAIN: Told = {
  reason: 'Draining',
  message: 'its cordon was lifted by others; drained again',
};

/** When the turn began: a cordon mark that cannot be read tells no time. */
function began({ since }: Pick<Holder, 'since'>, { mark }: NodeFacts): number {
  return mark === undefined || mark.at === 0 ? Date.parse(since) : mark.at;
}

/** The turn's holder entry: the one in a lock, or what the facts say when no lock records it. */
export function holderOf({ node, locks }: Subject, { locks: all, now }: Snapshot) {
  for (const lock of [...locks, ...all]) {
    const held = lock.holders.find(({ id, uid }) => id === node.name && uid === node.uid);
    if (held !== undefined) return held;
  }
  if (!begun(node)) return undefined;
  const since = new Date(node.mark?.at || now).toISOString();
  return { id: node.name, uid: node.uid, bootID: bootOfTurn(node), since, reason: '', by: '' };
}

function afterReboot({ node, member }: Subject, missing: Told | undefined): Step {
  if (missing === undefined && node.mark !== undefined) return { do: 'Uncordon' };
  if (missing !== undefined) return waitToServe(missing, node, member);
  const verdict = notJudged(node);
  return verdict === undefined ? { do: 'Nothing' } : { do: 'Wait', verdict };
}

function waitToServe(verdict: Told, node: NodeFacts, member: Subject['member']): Step {
  if (verdict.reason !== 'Uncordoning') return { do: 'Wait', verdict };
  return { do: 'Wait', verdict, againMs: Math.max(1, minReadyMs(member) - node.readyForMs) };
}

function beforeReboot(subject: Subject, snapshot: Snapshot, turn: Turn): Step {
  const { node, locks } = subject;
  if (locks.some((lock) => !holds(lock, node.name))) {
    return { do: 'Wait', verdict: { reason: 'LockFull', message: 'takes its places' } };
  }
  const over = overBudget(subject, snapshot) ?? selfDown(node);
  if (over !== undefined) return held(node, over, snapshot.now, turn);
  const grant = openGrant(node);
  if (grant !== undefined && !asksAnew(node, grant)) return granted(subject, snapshot.now);
  if (node.mark === undefined || !node.cordoned) return { do: 'Cordon' };
  return drained(subject, snapshot.now, turn);
}

function selfDown(node: NodeFacts): Told | undefined {
  const outage = foreignOutage(node);
  return outage === undefined ? undefined : { reason: 'NodeUnavailable', message: `the node is ${outage}` };
}

/** Others went down since the place was taken, or a lock is gone: nothing is granted, and after a while the place is given back. */
function held(node: NodeFacts, verdict: Told, now: number, { overSince = now }: Progress): Step {
  if (openGrant(node) !== undefined) return { do: 'Revoke', verdict };
  const left = overSince + OVER_BUDGET_MS - now;
  if (left > 0) return { do: 'Wait', verdict, againMs: left, held: true };
  return { do: 'CallOff', verdict, notBefore: now + OVER_BUDGET_PAUSE_MS };
}

function granted({ node }: Subject, now: number): Step {
  const may = openGrant(node)?.mode === 'drain' ? 'may change its configuration' : 'may reboot';
  const verdict: Told = { reason: 'Granted', message: may };
  const { cordoned, mark } = node;
  if (mark === undefined || (!cordoned && !mark.lifted)) return { do: 'Revoke', verdict: DRAINED_AGAIN };
  const left = Date.parse(openGrant(node)?.notAfter ?? '') + SKEW_MS - now;
  if (left > 0) return { do: 'Wait', verdict, againMs: left };
  const message = 'its agent did not accept the grant in time; see that it runs on the node';
  return { do: 'CallOff', verdict: { reason: 'NotBack', message }, notBefore: now + PAUSE_MS };
}

function drained({ node, member, windows }: Subject, now: number, { drain, since }: Turn): Step {
  if (drain?.done === true) {
    const horizon = now + GRANT_MS;
    const notAfter = Math.min(...windows.map((w) => openUntil(w.window, now, horizon)), horizon);
    // A person who wants the node cordoned is heeded.
    return { do: 'Grant', notAfter, ...(drain.lift && !node.keepCordoned ? { lift: true } : {}) };
  }
  const policy = 'group' in member ? member.group.spec.reboot.drain : undefined;
  const late = policy !== undefined && now - since > durationMs(policy.timeout);
  if (late && policy.onTimeout === 'Skip') {
    const message = `its drain did not finish in ${policy.timeout}${drain?.blocked ? `: ${drain.blocked.message}` : ''}`;
    return { do: 'CallOff', verdict: { reason: 'Skipped', message }, notBefore: now + PAUSE_MS };
  }
  return { do: 'Drain', force: late && policy.onTimeout === 'Force' };
}
