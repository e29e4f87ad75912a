import type { NodeGroup, NodeState, RebootLock, RebootWindow } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import { readGroup } from '../group/group.ts';
import { nodeFacts, type NodeFacts } from '../lock/facts.ts';
import { readLock } from '../lock/lock.ts';
import type { Snapshot } from '../lock/snapshot.ts';
import { readWindow } from '#runtime/window/named.ts';
import type { Cluster, Readiness } from './cluster.ts';
import { Newest } from './newest.ts';
import { ReadyWatch } from './ready-watch.ts';

/** The watched objects, as far as they have been heard of. */
export interface Caches {
  nodes(): readonly Node[];
  states(): readonly NodeState[];
  groups(): readonly NodeGroup[];
  locks(): readonly RebootLock[];
  windows(): readonly RebootWindow[];
  /** Why the caches are not to be decided from: not synced, or not heard of for too long. */
  stale(): string | undefined;
}

export interface ViewOptions {
  caches: Caches;
  cluster: Cluster;
  identity: string;
  ownNode?: string | undefined;
  /** Epoch milliseconds. */
  now: () => number;
  monotonicMs: () => number;
}

/** The view is older than the cluster in a way that matters; looking again shortly is the remedy. */
export class StaleView extends Error {
  override readonly name = 'StaleView';
}

/** Builds snapshots: from the caches alone, or with what matters read live. */
export class View {
  readonly #options: ViewOptions;
  readonly #ready: ReadyWatch;
  readonly nodes = new Newest<Node>();
  readonly states = new Newest<NodeState>();
  readonly locks = new Newest<RebootLock>();
  #memo: { at: number; nodes: readonly NodeFacts[] } | undefined;

  constructor(options: ViewOptions) {
    this.#options = options;
    this.#ready = new ReadyWatch(options.monotonicMs);
  }

  now(): number {
    return this.#options.now();
  }

  stale(): string | undefined {
    return this.#options.caches.stale();
  }

  /** The nodes of the cache must pass through here at every change, or minReadySeconds is counted too late. */
  observe(node: Node): void {
    this.#ready.readyForMs(node);
  }

  /** The node is gone from the cache. */
  forget(name: string): void {
    this.#ready.forget(name);
  }

  cached(): Snapshot {
    const { caches } = this.#options;
    const locks = caches.locks().map((lock) => this.locks.pick(lock));
    const snapshot = this.#snapshot(this.#cachedNodes(), locks);
    return { ...snapshot, gone: missing(snapshot) };
  }

  /** Something in the caches changed. */
  changed(): void {
    this.#memo = undefined;
  }

  /** Remade at every change, and often enough for readyForMs; many nodes in their turn share it. */
  #cachedNodes(): readonly NodeFacts[] {
    const { caches, monotonicMs } = this.#options;
    const at = monotonicMs();
    if (this.#memo !== undefined && at - this.#memo.at < MEMO_MS) return this.#memo.nodes;
    const states = new Map(caches.states().map((state) => [state.metadata.name, this.states.pick(state)]));
    const nodes = caches
      .nodes()
      .map((node) => this.#facts(this.nodes.pick(node), states.get(node.metadata.name)));
    this.#memo = { at, nodes };
    return nodes;
  }

  /**
   * The cached snapshot with these read live: the locks, everything of the named nodes and, if `all`, whether each
   * node is Ready and cordoned. Throws StaleView while the cache lacks a node that is down.
   */
  async live(names: readonly string[], { all = true } = {}): Promise<Snapshot> {
    const { cluster } = this.#options;
    const [readiness, locks, ...read] = await Promise.all([
      all ? cluster.readiness() : undefined,
      cluster.locks(),
      ...names.map((name) => this.#read(name)),
    ]);
    this.changed();
    const exact = new Map(read.map(({ name, facts }) => [name, facts]));
    const gone = new Set(read.filter(({ facts }) => facts === undefined).map(({ name }) => name));
    const snapshot = this.#snapshot(merge(this.cached().nodes, readiness, exact), locks);
    return { ...snapshot, gone, live: new Set(names) };
  }

  async #read(name: string): Promise<{ name: string; facts: NodeFacts | undefined }> {
    const { cluster } = this.#options;
    const [node, state] = await Promise.all([cluster.node(name), cluster.state(name)]);
    if (node !== undefined) this.nodes.put(node);
    if (state !== undefined) this.states.put(state);
    return { name, facts: node && this.#facts(node, state) };
  }

  #facts(node: Node, state: NodeState | undefined): NodeFacts {
    return nodeFacts(node, state, this.#ready.readyForMs(node));
  }

  #snapshot(nodes: readonly NodeFacts[], locks: readonly RebootLock[]): Snapshot {
    const { caches, identity, ownNode, now } = this.#options;
    return {
      now: now(),
      identity,
      ownNode,
      nodes,
      gone: new Set(),
      groups: caches.groups().map((group) => readGroup(group)),
      locks: locks.map((lock) => readLock(lock)).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      windows: caches.windows().map((window) => readWindow(window)),
    };
  }
}

const MEMO_MS = 100;

/** Holders that the cache has no Node for: perhaps gone, to be made sure of by a live read. */
function missing({ locks, nodes }: Snapshot): Set<string> {
  const known = new Set(nodes.map(({ name }) => name));
  const holders = locks.flatMap((lock) => lock.holders);
  return new Set(holders.filter(({ id, uid }) => uid !== '' && !known.has(id)).map(({ id }) => id));
}

type Exact = ReadonlyMap<string, NodeFacts | undefined>;

/** The fresh read wins over the cache wherever it says less good things, and for nodes read in full. */
function merge(cached: readonly NodeFacts[], fresh: Readiness | undefined, exact: Exact): NodeFacts[] {
  const known = new Set([...cached.map(({ name }) => name), ...exact.keys()]);
  for (const [name, { ready, cordoned }] of fresh ?? []) {
    if (!known.has(name) && (!ready || cordoned)) {
      throw new StaleView(`node ${name} is down and not in the cache yet`);
    }
  }
  const others = cached
    .filter(({ name }) => !exact.has(name))
    .map((node) => (fresh === undefined ? node : refresh(node, fresh)));
  return [...others, ...[...exact.values()].filter((facts) => facts !== undefined)];
}

function refresh(node: NodeFacts, fresh: Readiness): NodeFacts {
  const row = fresh.get(node.name);
  // A node that the fresh read does not show is taken for lost until the cache has dropped it.
  if (row === undefined) return { ...node, ready: 'Silent' };
  const ready = row.ready ? 'Ready' : node.ready === 'Ready' ? 'NotReady' : node.ready;
  return { ...node, ready, cordoned: row.cordoned };
}
