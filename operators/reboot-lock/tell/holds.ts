import type { NodeState } from '#api/kinds.ts';
import type { RebootReason, Verdict } from '#api/reasons.ts';
import type { Cluster, RebootSpec } from '../cluster/cluster.ts';

type Told = Verdict<RebootReason>;
type Hold = NonNullable<RebootSpec['hold']>;

/** What lasts less than this is not worth a write; RebootLock.status.waiting shows it at once. */
const LASTS_MS = 10_000;
/** minReadySeconds is a wait that everybody knows of; it is told only when it lasts unusually long. */
const UNCORDONING_LASTS_MS = 30_000;
/** How soon the message of a reason that is told already may be told anew. */
const RENEW_MS = 30_000;
/** The agent's own phase says these. */
const PHASES: ReadonlySet<RebootReason> = new Set([
  'NotRequested',
  'Granted',
  'Applying',
  'Rebooting',
  'Verifying',
]);

/** A hold that says something else than what holds is corrected by then, also while reasons take turns. */
const OUTDATED_MS = 30_000;

interface Said {
  /** Undefined: the node does not wait. */
  verdict: Told | undefined;
  /** When the reason, or its absence, began; epoch milliseconds. */
  since: number;
  /** When the first change came that is not written yet. */
  unwrittenSince?: number | undefined;
  writtenAt?: number | undefined;
}

/**
 * Remembers since when each node has had which reason, and decides when NodeState.spec.reboot.hold must say so.
 * One word for one thing: the same verdict goes to events and metrics.
 */
export class Holds {
  readonly #said = new Map<string, Said>();

  /** Undefined: the node does not wait. Answers whether that changes what is known. */
  say(node: string, verdict: Told | undefined, now: number): boolean {
    const told = verdict !== undefined && PHASES.has(verdict.reason) ? undefined : verdict;
    const before = this.#said.get(node);
    if (before !== undefined && before.verdict?.reason === told?.reason) {
      this.#said.set(node, { ...before, verdict: told });
      return before.verdict?.message !== told?.message;
    }
    const { writtenAt, unwrittenSince = now } = before ?? {};
    this.#said.set(node, { verdict: told, since: now, writtenAt, unwrittenSince });
    return true;
  }

  /** Nodes that wait. */
  names(): string[] {
    return [...this.#said].filter(([, { verdict }]) => verdict !== undefined).map(([name]) => name);
  }

  /** Nodes by reason, for the metric. */
  counts(): Map<RebootReason, number> {
    const counts = new Map<RebootReason, number>();
    for (const { verdict } of this.#said.values())
      if (verdict !== undefined) counts.set(verdict.reason, (counts.get(verdict.reason) ?? 0) + 1);
    return counts;
  }

  /** What is to be written for the node: a hold, its removal (null), or nothing before so many milliseconds. */
  due(
    state: NodeState,
    now: number,
    inTurn: boolean,
  ): { hold: RebootSpec['hold'] | null } | { againMs?: number } {
    const said = this.#said.get(state.metadata.name);
    const told = state.spec?.reboot?.hold;
    if (said === undefined) return {};
    const { verdict } = said;
    if (verdict === undefined && told === undefined) {
      this.#said.delete(state.metadata.name);
      return {};
    }
    const wait = dueAt(said, told, inTurn) - now;
    if (wait > 0) return { againMs: wait };
    if (verdict === undefined) return { hold: null };
    const message = verdict.message.slice(0, 1024);
    if (told?.reason !== verdict.reason) {
      return { hold: { reason: verdict.reason, message, since: new Date(said.since).toISOString() } };
    }
    return told.message === message ? {} : { hold: { ...told, message } };
  }

  written(node: string, now: number): void {
    const said = this.#said.get(node);
    if (said?.verdict === undefined) this.#said.delete(node);
    else this.#said.set(node, { ...said, writtenAt: now, unwrittenSince: undefined });
  }
}

function dueAt(
  { verdict, since, unwrittenSince, writtenAt = 0 }: Said,
  told: Hold | undefined,
  inTurn: boolean,
) {
  if (told !== undefined && told.reason === verdict?.reason) return Math.max(since, writtenAt + RENEW_MS);
  // In its turn the next grant takes the hold away with it, unless that takes too long.
  if (verdict === undefined) return inTurn ? since + LASTS_MS : since;
  const lasting = since + (verdict.reason === 'Uncordoning' ? UNCORDONING_LASTS_MS : LASTS_MS);
  return told === undefined ? lasting : Math.min(lasting, (unwrittenSince ?? since) + OUTDATED_MS);
}

/** Writes a hold (or its removal) next to what else stands in spec.reboot and still matters. */
export async function writeHold(
  cluster: Cluster,
  { metadata, spec }: NodeState,
  hold: RebootSpec['hold'] | null,
  now: number,
): Promise<NodeState> {
  // A spent grant stays: it proves which boot the turn ended, should the lock's status be lost.
  const { grant, notBefore } = spec?.reboot ?? {};
  const { name, uid = '', resourceVersion = '' } = metadata;
  return cluster.applyReboot(
    { name, uid, resourceVersion },
    {
      ...(grant === undefined ? {} : { grant }),
      ...(notBefore !== undefined && Date.parse(notBefore) > now ? { notBefore } : {}),
      ...(hold === null ? {} : { hold }),
    },
  );
}
