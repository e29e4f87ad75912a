import type { Node } from '#api/meta.ts';
import type { RebootReason, Verdict } from '#api/reasons.ts';
import { Controller, type Reconcile } from '#runtime/controller/controller.ts';
import { busyCheck } from '#runtime/health/health.ts';
import type { OperatorContext } from '#runtime/operator/operator.ts';
import type { Changes, WatchedCaches } from './caches.ts';
import { kubeCluster } from './cluster/kube-cluster.ts';
import { View } from './cluster/view.ts';
import { Publisher } from './condition/publisher.ts';
import { reconcileGroupLock } from './group/controller.ts';
import { CONTROL_PLANE_LOCK } from './lock/lock.ts';
import { Round } from './lock/round.ts';
import { Rounds } from './lock/rounds.ts';
import { Holds } from './tell/holds.ts';
import type { RebootMetrics } from './tell/metrics.ts';
import { Teller } from './tell/teller.ts';
import { reconcileTurn } from './turn/reconcile-turn.ts';
import { Turns } from './turn/turns.ts';
import { reconcileWindow } from './window/controller.ts';

/** All locks are one key: a decision is made over all of them. */
const LOCKS = 'locks';
/** Nodes that drain at the same time. */
const TURNS = 16;
/** Nodes that are told something at the same time. */
const TELLERS = 4;

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

function monotonicMs(): number {
  return performance.now();
}

/** The work of one leadership: rounds over the locks, turns of nodes, windows, group locks, and the telling of it. */
export class Session implements Changes {
  readonly #options: SessionOptions;
  readonly #view: View;
  readonly #rounds: Rounds;
  readonly #publisher: Publisher;
  readonly #holds = new Holds();
  readonly #locks: Controller;
  readonly #turns: Controller;
  readonly #told: Controller;
  readonly #conditions: Controller;
  readonly #windows: Controller;
  readonly #groups: Controller;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { context, caches, metrics, ownNode, nodeConditions: on, signal } = options;
    const { client, events, flags } = context;
    const { identity, namespace } = flags;
    const cluster = kubeCluster(client, signal);
    const view = new View({ caches, cluster, identity, ownNode, now: Date.now, monotonicMs });
    const say = (node: string, verdict: Verdict<RebootReason> | undefined, now: number) => {
      if (this.#holds.say(node, verdict, now)) this.#told.enqueue(node);
    };
    const lookup = {
      node: (name: string) => caches.node.get(name),
      state: (name: string) => caches.state.get(name),
      group: (name: string) => caches.group.get(name),
      lock: (name: string) => caches.lock.get(name),
      window: (name: string) => caches.window.get(name),
    };
    const { node } = lookup;

    const round = new Round(view, cluster);
    const wake = (name: string) => this.#turns.enqueue(name);
    this.#rounds = new Rounds({ round, view, caches, holds: this.#holds, metrics, say, wake });
    this.#locks = this.#controller('locks', (_, run) => this.#rounds.decide(run));

    const turns = new Turns({ view, cluster, identity, self: { namespace, pod: identity } });
    const decide = () => this.#locks.enqueue(LOCKS);
    this.#turns = this.#controller('turns', reconcileTurn({ turns, view, metrics, say, decide }), TURNS);

    const inTurn = (name: string) => this.#rounds.inTurn.has(name);
    const teller = new Teller({ holds: this.#holds, view, cluster, events, ...lookup, inTurn });
    this.#told = this.#controller('holds', (name) => teller.tell(name), TELLERS);
    this.#publisher = new Publisher({ on, view, cluster, node });
    this.#conditions = this.#controller(
      'conditions',
      (name, run) => this.#publisher.publish(name, run),
      TELLERS,
    );

    const onEdge = () => this.#all();
    this.#windows = this.#controller(
      'windows',
      reconcileWindow({ client, ...lookup, now: Date.now, onEdge }),
    );
    this.#groups = this.#controller('group-locks', reconcileGroupLock({ client, ...lookup }));
    this.#view = view;
  }

  #controller(name: string, reconcile: Reconcile, workers = 1): Controller {
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
    const controllers = [this.#locks, this.#turns, this.#told, this.#conditions, this.#windows, this.#groups];
    await Promise.all(controllers.map((controller) => controller.run(signal)));
  }

  node(name: string, node: Node): void {
    if (this.#options.caches.node.get(name) === undefined) this.#view.forget(name);
    else this.#view.observe(node);
    this.state(name);
  }

  state(name: string): void {
    this.#view.changed();
    this.#locks.enqueue(LOCKS);
    this.#show(this.#options.caches.node.get(name));
    if (this.#rounds.inTurn.has(name)) this.#turns.enqueue(name);
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
    for (const name of this.#rounds.inTurn) this.#turns.enqueue(name);
  }

  #show(node: Node | undefined): void {
    if (node !== undefined && this.#publisher.concerns(node)) this.#conditions.enqueue(node.metadata.name);
  }
}
