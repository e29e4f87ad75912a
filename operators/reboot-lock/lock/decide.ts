import type { RebootReason, Verdict } from '#api/reasons.ts';
import type { Holder } from '#api/reboot-lock.ts';
import { minReadyMs } from '../group/group.ts';
import { evidence } from './evidence.ts';
import { begun, inFlight } from './facts.ts';
import { bootOfTurn, holderFor } from './holder.ts';
import { lastResort } from './last-resort.ts';
import { Ledger } from './ledger.ts';
import type { Lock } from './lock.ts';
import { goesLast, noPlace, refused } from './policy.ts';
import { subjectOf, type Snapshot, type Subject } from './snapshot.ts';

export interface Waiting {
  node: string;
  verdict: Verdict<RebootReason>;
  /** Since when the node asks, epoch milliseconds. */
  since: number;
  /** Locks that the node needs; each names it. */
  locks: readonly string[];
}

/** What one snapshot allows. Every lock whose holders changed is written by compare-and-swap, in name order. */
export interface Decision {
  locks: readonly Lock[];
  /** Locks among them whose holders are not what the snapshot had. */
  changed: ReadonlySet<string>;
  taken: readonly { node: string; lock: string }[];
  released: readonly { node: string; lock: string; why: string }[];
  /** Nodes in our hands whose lost places were put back. */
  restored: readonly string[];
  waiting: readonly Waiting[];
}

/**
 * One decision over one snapshot for all locks: places whose release is proven are given back, lost ones are
 * restored, and waiting nodes take what is free, longest-waiting first.
 */
export function decide(snapshot: Snapshot): Decision {
  const table: Table = { snapshot, ledger: new Ledger(snapshot) };
  const subjects = concerned(table);
  const byName = new Map(subjects.map((subject) => [subject.node.name, subject]));
  for (const subject of subjects) restore(table, subject);
  for (const lock of snapshot.locks) release(table, lock, byName);
  const waiting: Waiting[] = [];
  for (const subject of inOrder(subjects, snapshot.ownNode)) {
    const verdict = take(table, subject, waiting);
    if (verdict !== undefined) waiting.push(waitingFor(subject, verdict));
  }
  return { ...table.ledger.outcome(), waiting };
}

/** What one decision works on. */
interface Table {
  snapshot: Snapshot;
  ledger: Ledger;
}

/** Nodes that ask, hold or are in our hands; all others only count. */
function concerned({ snapshot, ledger }: Table): Subject[] {
  const holding = ledger.ids();
  return snapshot.nodes
    .filter((node) => node.state?.requested === true || begun(node) || holding.has(node.name))
    .map((node) => subjectOf(node, snapshot));
}

/** Only what was read live may change a place; a rehearsal (no live set) shows what would. */
function mayTouch({ snapshot }: Table, node: string): boolean {
  return snapshot.live?.has(node) ?? true;
}

/** A node that we laid hands on holds its places, whatever the status says: a lost status is rebuilt from facts. */
function restore(table: Table, { node, locks }: Subject): void {
  if (!begun(node) || !mayTouch(table, node.name)) return;
  for (const lock of locks) {
    if (lock.invalid === undefined && table.ledger.holder(lock, node.name) === undefined) {
      table.ledger.restore(lock, holderFor(node, lock, table.snapshot, bootOfTurn(node)));
    }
  }
}

function release(table: Table, lock: Lock, subjects: ReadonlyMap<string, Subject>): void {
  if (lock.invalid !== undefined) return;
  for (const holder of lock.holders) {
    const why = freed(table, lock, holder, subjects.get(holder.id));
    if (why !== undefined) table.ledger.drop(lock, holder.id, why);
  }
}

function freed(table: Table, lock: Lock, holder: Holder, subject: Subject | undefined): string | undefined {
  // A holder without a UID is a machine outside the cluster (FleetLock): it gives its place back itself.
  if (holder.uid === '') return undefined;
  const { now, gone } = table.snapshot;
  if (gone.has(holder.id)) return 'its Node is gone';
  if (subject === undefined || !mayTouch(table, holder.id)) return undefined;
  const circumstances = { now, minReadyMs: minReadyMs(subject.member), refused: refused(subject, now) };
  const found = evidence(holder, subject.node, circumstances);
  return 'free' in found ? found.free : unneeded(lock, subject);
}

/** A place in a lock that the untouched node no longer needs, because a selector or a label changed. */
function unneeded(lock: Lock, { node, locks }: Subject): string | undefined {
  const needed = begun(node) || inFlight(node) || locks.some(({ name }) => name === lock.name);
  return needed ? undefined : 'the lock does not cover it any more';
}

/** Longest-waiting first, by name among equals; the operator's own node last. */
function inOrder(subjects: readonly Subject[], ownNode: string | undefined): Subject[] {
  const rank = ({ node }: Subject) => (node.name === ownNode ? 1 : 0);
  return subjects.toSorted(
    (a, b) => rank(a) - rank(b) || asked(a) - asked(b) || (a.node.name < b.node.name ? -1 : 1),
  );
}

function asked({ node }: Subject): number {
  return node.state?.since ?? 0;
}

/** Gives the node all its places or none; answers why it waits, or nothing when it does not. */
function take(
  table: Table,
  subject: Subject,
  waiting: readonly Waiting[],
): Verdict<RebootReason> | undefined {
  const { ledger, snapshot } = table;
  const { node, locks } = subject;
  if (node.state?.requested !== true || begun(node) || inFlight(node)) return undefined;
  const refusal = refused(subject, snapshot.now);
  if (refusal !== undefined) return refusal;
  const held = locks.map((lock) => ledger.holder(lock, node.name));
  // A place of an earlier boot is still to be given back; until then the node has its turn behind it.
  if (held.some((holder) => holder !== undefined && holder.bootID !== node.bootID)) return undefined;
  const missing = locks.filter((_, index) => held[index] === undefined);
  if (missing.length === 0 && locks.length > 0) return undefined;
  const current = { ...subject, locks: locks.map((lock) => ledger.lock(lock)) };
  const full =
    noPlace(current, ledger.places(locks)) ??
    lastResort(snapshot, node, (name) => ledger.holds(name)) ??
    goesLast(current, snapshot.ownNode, waiting);
  if (full !== undefined) {
    giveBack(table, subject);
    return full;
  }
  if (mayTouch(table, node.name)) {
    for (const lock of missing) ledger.take(lock, node, holderFor(node, lock, snapshot, node.bootID));
  }
  return undefined;
}

/** Some places without the others are of no use to the node and in the way of the rest. */
function giveBack(table: Table, { node, locks }: Subject): void {
  if (!mayTouch(table, node.name)) return;
  for (const lock of locks) {
    if (table.ledger.holder(lock, node.name) !== undefined) {
      table.ledger.drop(lock, node.name, 'another of its locks is full');
    }
  }
}

function waitingFor({ node, locks }: Subject, verdict: Verdict<RebootReason>): Waiting {
  return { node: node.name, verdict, since: node.state?.since ?? 0, locks: locks.map(({ name }) => name) };
}
