/**
 * The referee's book: which nodes were unavailable when, as anyone who watches Nodes could see it. It knows
 * nothing of careen; "unavailable" is cordoned or NotReady, by whomever.
 */

/** One sight of a Node. */
export interface Sight {
  node: string;
  at: number;
  cordoned: boolean;
  ready: boolean;
  bootID: string;
}

/** A stretch in which a node was unavailable. Milliseconds since the epoch; `to` is absent while it lasts. */
export interface Outage {
  node: string;
  from: number;
  to?: number;
  /** The boot ID changed between its first and its last sight. */
  rebooted: boolean;
}

export interface Reboot {
  node: string;
  at: number;
  bootID: string;
}

/** How many nodes were unavailable at an instant, and who they were. */
export interface Worst {
  count: number;
  at: number;
  nodes: string[];
}

/** Between the last look at the nodes and the cordon that follows it another node may fail, and nobody can know. */
const NOTICE_MS = 2000;

export class Ledger {
  readonly outages: Outage[] = [];
  readonly reboots: Reboot[] = [];
  /** The largest number of nodes that were unavailable at one instant, and who they were. */
  worst: Worst = { count: 0, at: 0, nodes: [] };
  /**
   * The same over the instants at which somebody cordoned a node that was Ready: where machines are made to fail, the
   * budget is what nobody may cordon beyond. A node that failed by itself counts once whoever cordons could know it.
   */
  worstTaken: Worst = { count: 0, at: 0, nodes: [] };

  readonly #open = new Map<string, Outage>();
  readonly #cordoned = new Set<string>();
  /** Nodes with an outage that were not seen since the gap. */
  #unseen = new Set<string>();
  readonly #bootIDs = new Map<string, string>();

  see({ node, at, cordoned, ready, bootID }: Sight): void {
    this.#seeBoot(node, at, bootID);
    const isBack = this.#unseen.delete(node);
    if (cordoned) this.#cordoned.add(node);
    else this.#cordoned.delete(node);
    const unavailable = cordoned || !ready;
    const open = this.#open.get(node);
    if (unavailable && open === undefined) this.#begin(node, at, cordoned && ready);
    if (!unavailable && open !== undefined) this.#end(open, at);
    if (unavailable && open !== undefined && isBack) this.#seeAgain(at);
  }

  /**
   * Nobody watched these nodes for a while, and each will be seen anew, one after the other: an outage counts again
   * from then on, for it may have ended in the gap, before another one began.
   */
  gap(nodes: Iterable<string>): void {
    this.#unseen = new Set([...nodes].filter((node) => this.#open.has(node)));
  }

  /** A node that was deleted is no longer anybody's outage. */
  forget(node: string, at: number): void {
    const open = this.#open.get(node);
    if (open !== undefined) this.#end(open, at);
    this.#cordoned.delete(node);
    this.#bootIDs.delete(node);
  }

  unavailable(): string[] {
    return [...this.#open.keys()].filter((node) => !this.#unseen.has(node)).toSorted();
  }

  /** Starts a new chapter: what was unavailable before still counts, what was worst before does not. */
  reset(): void {
    this.outages.length = 0;
    this.reboots.length = 0;
    this.outages.push(...this.#open.values());
    const nodes = this.unavailable();
    this.worst = { count: nodes.length, at: Date.now(), nodes };
    this.worstTaken = { count: 0, at: 0, nodes: [] };
  }

  #begin(node: string, at: number, taken: boolean): void {
    const outage = { node, from: at, rebooted: false };
    this.#open.set(node, outage);
    this.outages.push(outage);
    this.worst = worseOf(this.worst, at, this.unavailable());
    if (taken) this.worstTaken = worseOf(this.worstTaken, at, this.#known(at));
  }

  /** The nodes that whoever cordons at `at` had to count. */
  #known(at: number): string[] {
    const isOld = (node: string) => at - (this.#open.get(node)?.from ?? at) >= NOTICE_MS;
    return this.unavailable().filter((node) => this.#cordoned.has(node) || isOld(node));
  }

  /** Whoever was cordoned in the gap was so beside all that still are. */
  #seeAgain(at: number): void {
    const nodes = this.unavailable();
    this.worst = worseOf(this.worst, at, nodes);
    const cordoned = nodes.filter((node) => this.#cordoned.has(node));
    this.worstTaken = worseOf(this.worstTaken, at, cordoned);
  }

  #end(outage: Outage, at: number): void {
    outage.to = at;
    this.#open.delete(outage.node);
  }

  #seeBoot(node: string, at: number, bootID: string): void {
    const before = this.#bootIDs.get(node);
    this.#bootIDs.set(node, bootID);
    if (before === undefined || before === bootID) return;
    this.reboots.push({ node, at, bootID });
    const open = this.#open.get(node);
    if (open !== undefined) open.rebooted = true;
  }
}

function worseOf(worst: Worst, at: number, nodes: string[]): Worst {
  return nodes.length > worst.count ? { count: nodes.length, at, nodes } : worst;
}

/**
 * The shortest time in which `outages` could have followed each other with `budget` of them at once, in the
 * order in which they began: what a coordinator that loses no time would need. Milliseconds.
 */
export function idealMs(outages: readonly Outage[], budget: number): number {
  const slots = Array.from({ length: Math.max(1, budget) }, () => 0);
  for (const { from, to } of outages.toSorted((one, other) => one.from - other.from)) {
    const soonest = slots.indexOf(Math.min(...slots));
    slots[soonest] = (slots[soonest] ?? 0) + ((to ?? from) - from);
  }
  return Math.max(...slots);
}

/**
 * How long each place stood free although a node waited for it: from a node's return to the beginning of the next
 * outage that had to wait for one. Milliseconds, in order.
 */
export function handOversMs(outages: readonly Outage[], budget: number): number[] {
  const returns = outages
    .map(({ to }) => to ?? Number.POSITIVE_INFINITY)
    .toSorted((one, other) => one - other);
  const begins = outages.map(({ from }) => from).toSorted((one, other) => one - other);
  return begins.slice(budget).map((from, index) => Math.max(0, from - (returns[index] ?? from)));
}
