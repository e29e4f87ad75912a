import type { Node } from '#api/meta.ts';
import type { RebootReason, Verdict } from '#api/reasons.ts';
import { Controller, type ReconcileContext } from '#runtime/controller/controller.ts';
import { busyCheck } from '#runtime/health/health.ts';
import type { OperatorContext } from '#runtime/operator/operator.ts';
import type { Changes, WatchedCaches } from './caches.ts';
import { kubeCluster } from './cluster/kube-cluster.ts';
import type { Cluster } from './cluster/cluster.ts';
import { View } from './cluster/view.ts';
import { Publisher } from './condition/publisher.ts';
import { reconcileGroupLock } from './group/controller.ts';
import { unavailable } from './lock/availability.ts';
import { begun } from './lock/facts.ts';
import { CONTROL_PLANE_LOCK, readLock } from './lock/lock.ts';
import { Round, type RoundOutcome } from './lock/round.ts';
import type { Snapshot } from './lock/snapshot.ts';
import { Holds } from './tell/holds.ts';
import type { RebootMetrics } from './tell/metrics.ts';
import { Teller } from './tell/teller.ts';
import { Turns } from './turn/turns.ts';
import { reconcileWindow } from './window/controller.ts';

/** All locks are one key: a decision is made over all of them. */
const LOCKS = 'locks';
const STALE_MS = 1000;
/** Reasons that end by the clock alone; while nodes wait for one of them the decision is made again this often. */
const TIMED: ReadonlySet<RebootReason> = new Set(['Skipped', 'MinSeparation', 'DelayBetween']);
const TIMED_MS = 1000;
/** A node in its turn is looked at this often at least, so that its deadlines are noticed. */
const TURN_MS = 15_000;
/** Nodes that drain at the same time. */
const TURNS = 16;

export interface SessionOptions {
  context: OperatorContext;
  caches: WatchedCaches;
  metrics: RebootMetrics;
  ownNode?: string | undefined;
  /** Whether turns are shown as conditions of the Node. */
  nodeConditions: boolean;
  /** Aborts when this process leads no more. */
  signal: AbortSignal;
}

/** The work of one leadership: rounds over the locks, turns of nodes, windows, group locks, and the telling of it. */
export class Session implements Changes {
  readonly #options: SessionOptions;
  readonly #cluster: Cluster;
  readonly #view: View;
  readonly #round: Round;
  readonly #turns: Turns;
  readonly #holds = new Holds();
  readonly #locks: Controller;
  readonly #nodes: Controller;
  readonly #told: Controller;
  readonly #conditions: Controller;
  readonly #publisher: Publisher;
  readonly #windows: Controller;
  readonly #groups: Controller;
  /** Nodes that hold a place or carry our mark, as of the last round. */
  #inTurn: ReadonlySet<string> = new Set();

  constructor(options: SessionOptions) {
    this.#options = options;
    const { context, caches, ownNode, signal } = options;
    const identity = context.flags.identity;
    this.#cluster = kubeCluster(context.client, signal);
    this.#view = new View({
      caches,
      cluster: this.#cluster,
      identity,
      ownNode,
      now: Date.now,
      monotonicMs: () => performance.now(),
    });
    this.#round = new Round(this.#view, this.#cluster);
    const self = { namespace: context.flags.namespace, pod: identity };
    this.#turns = new Turns({ view: this.#view, cluster: this.#cluster, identity, self });
    this.#locks = this.#controller('locks', (_, run) => this.#decide(run));
    this.#nodes = this.#controller('turns', (name, run) => this.#turn(name, run), TURNS);
    const teller = new Teller({
      holds: this.#holds,
      view: this.#view,
      cluster: this.#cluster,
      events: context.events,
      node: (name) => caches.node.get(name),
      state: (name) => caches.state.get(name),
      inTurn: (name) => this.#inTurn.has(name),
    });
    this.#told = this.#controller('holds', (name) => teller.tell(name), 4);
    const { view, cluster } = { view: this.#view, cluster: this.#cluster };
    const node = (name: string) => caches.node.get(name);
    this.#publisher = new Publisher({ on: options.nodeConditions, view, cluster, node });
    this.#conditions = this.#controller('conditions', (name, run) => this.#publisher.publish(name, run), 4);
    const { client } = context;
    const window = (name: string) => caches.window.get(name);
    const onEdge = () => this.#all();
    this.#windows = this.#controller('windows', reconcileWindow({ client, window, now: Date.now, onEdge }));
    const lookup = {
      group: (name: string) => caches.group.get(name),
      lock: (name: string) => caches.lock.get(name),
    };
    this.#groups = this.#controller('group-locks', reconcileGroupLock({ client, ...lookup }));
  }

  #controller(
    name: string,
    reconcile: ConstructorParameters<typeof Controller>[0]['reconcile'],
    workers = 1,
  ) {
    const { log, metrics, health } = this.#options.context;
    const controller = new Controller({ name, reconcile, workers, log, metrics });
    health.live(`controller-${name}`, busyCheck(controller));
    return controller;
  }

  /** Runs until the signal aborts. */
  async run(): Promise<void> {
    const { caches, signal } = this.#options;
    await caches.synced(signal);
    for (const node of caches.nodes()) {
      this.#view.observe(node);
      this.#show(node);
    }
    for (const { metadata } of caches.windows()) this.#windows.enqueue(metadata.name);
    for (const { metadata } of caches.groups()) this.#groups.enqueue(metadata.name);
    this.#groups.enqueue(CONTROL_PLANE_LOCK);
    this.#locks.enqueue(LOCKS);
    const controllers = [this.#locks, this.#nodes, this.#told, this.#conditions, this.#windows, this.#groups];
    await Promise.all(controllers.map((controller) => controller.run(signal)));
  }

  node(name: string, node: Node): void {
    if (this.#options.caches.node.get(name) === undefined) this.#view.forget(name);
    else this.#view.observe(node);
    this.state(name);
  }

  #show(node: Node | undefined): void {
    if (node !== undefined && this.#publisher.concerns(node)) this.#conditions.enqueue(node.metadata.name);
  }

  state(name: string): void {
    this.#view.changed();
    this.#locks.enqueue(LOCKS);
    this.#show(this.#options.caches.node.get(name));
    if (this.#inTurn.has(name)) this.#nodes.enqueue(name);
  }

  group(name: string): void {
    this.#groups.enqueue(name);
    this.#all();
  }

  lock(name: string): void {
    this.#groups.enqueue(name);
    this.#all();
  }

  window(name: string): void {
    this.#windows.enqueue(name);
    this.#all();
  }

  /** Something that concerns every node in its turn. */
  #all(): void {
    this.#view.changed();
    this.#locks.enqueue(LOCKS);
    for (const name of this.#inTurn) this.#nodes.enqueue(name);
  }

  async #decide({ log }: ReconcileContext) {
    const outcome = await this.#round.run();
    if (outcome === undefined) {
      log.warn('the view is too old to decide from; nothing is granted', { why: this.#view.stale() });
      this.#options.metrics.waiting(new Map([['SnapshotStale', this.#asking()]]));
      return { requeueAfterMs: STALE_MS };
    }
    const { decision } = outcome;
    for (const { node, lock, why } of decision.released) log.info('place given back', { node, lock, why });
    for (const { node, lock } of decision.taken) log.info('place taken', { node, lock });
    for (const { afterMs } of outcome.taken) this.#options.metrics.taken(afterMs / 1000);
    this.#follow(outcome);
    const timed = decision.waiting.some(({ verdict }) => TIMED.has(verdict.reason));
    const againMs = Math.min(outcome.againMs ?? Infinity, timed ? TIMED_MS : Infinity);
    return Number.isFinite(againMs) ? { requeueAfterMs: againMs } : undefined;
  }

  /** How many nodes ask for a reboot, as far as is known. */
  #asking(): number {
    const { caches } = this.#options;
    return caches.states().filter(({ status }) => status?.reboot?.requested === true).length;
  }

  /** Starts and wakes turns, and says why every other node waits. */
  #follow({ decision, snapshot }: RoundOutcome): void {
    const before = this.#inTurn;
    const holding = decision.locks.flatMap(({ holders }) => holders.map(({ id }) => id));
    this.#inTurn = new Set([
      ...holding,
      ...snapshot.nodes.filter((node) => begun(node)).map(({ name }) => name),
    ]);
    for (const name of this.#inTurn) if (!before.has(name)) this.#nodes.enqueue(name);
    for (const { node } of decision.released) this.#nodes.enqueue(node);
    const waiting = new Map(decision.waiting.map(({ node, verdict }) => [node, verdict]));
    for (const [node, verdict] of waiting)
      if (!this.#inTurn.has(node)) this.#say(node, verdict, snapshot.now);
    for (const node of this.#quiet(snapshot, waiting)) this.#say(node, undefined, snapshot.now);
    this.#measure(snapshot);
  }

  /** Nodes that neither wait nor have their turn and of which something is still said. */
  #quiet({ nodes }: Snapshot, waiting: ReadonlyMap<string, unknown>): string[] {
    const told = nodes.filter(({ state }) => state?.hold !== undefined).map(({ name }) => name);
    const idle = (name: string) => !waiting.has(name) && !this.#inTurn.has(name);
    const quiet = [...new Set([...told, ...this.#holds.names()])].filter((name) => idle(name));
    return quiet;
  }

  #measure(snapshot: Snapshot): void {
    const { metrics, caches } = this.#options;
    const byName = new Map(caches.locks().map((lock) => [lock.metadata.name, lock]));
    const outages = (name: string) => {
      const lock = byName.get(name);
      return lock === undefined ? 0 : unavailable(readLock(lock), snapshot.nodes).length;
    };
    metrics.locks(caches.locks(), outages);
    metrics.waiting(this.#holds.counts());
  }

  #say(node: string, verdict: Verdict<RebootReason> | undefined, now: number): void {
    if (this.#holds.say(node, verdict, now)) this.#told.enqueue(node);
  }

  async #turn(name: string, { log }: ReconcileContext) {
    const report = await this.#turns.step(name);
    if (report === undefined) {
      this.#say(name, undefined, this.#view.now());
      return;
    }
    if (report.done !== undefined) {
      log.info(report.done, { node: name, ...report.verdict });
      this.#locks.enqueue(LOCKS);
    }
    const now = this.#view.now();
    if (report.done === 'Grant') {
      this.#options.metrics.granted(
        report.cordonedAt === undefined ? undefined : (now - report.cordonedAt) / 1000,
      );
    }
    // A step that came to nothing, for a conflict say, leaves what was said before.
    if (report.verdict !== undefined || report.done !== undefined) this.#say(name, report.verdict, now);
    return { requeueAfterMs: Math.min(report.againMs ?? TURN_MS, TURN_MS) };
  }
}
