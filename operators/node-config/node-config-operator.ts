import { Controller } from '#runtime/controller/controller.ts';
import { busyCheck } from '#runtime/health/health.ts';
import type { Operator, OperatorContext } from '#runtime/operator/operator.ts';
import { Delivery } from './deliver/delivery.ts';
import { Salt } from './deliver/salt.ts';
import { Desires } from './desire/desires.ts';
import type { NodeConfigFlags } from './flags.ts';
import { CarryOut } from './plan/carry-out.ts';
import { PlanController } from './plan/plan-controller.ts';
import { RenderedKeeper } from './rendered/rendered-keeper.ts';
import { StateWriter } from './state/state-writer.ts';
import { ConfigMetrics } from './status/config-metrics.ts';
import { StatusTeller } from './status/status-teller.ts';
import { World } from './world.ts';

/** Events come in bursts; a plan covers all nodes, so it waits this long for more of them. */
const GATHER_MS = 100;
/** One plan covers everything: it has one key. */
const ALL = 'all';

/** Decides what each node is configured with. Caches run on every replica, decisions only on the leader. */
export class NodeConfigOperator implements Operator {
  readonly #context: OperatorContext<NodeConfigFlags>;
  readonly #world: World;
  readonly #metrics: ConfigMetrics;
  #controllers: Controller[] = [];

  constructor(context: OperatorContext<NodeConfigFlags>) {
    const { client, log, metrics, health, flags } = context;
    this.#context = context;
    this.#world = new World({ client, log, metrics, sourceNamespaces: flags.sourceNamespaces });
    this.#metrics = new ConfigMetrics(metrics.registry);
    this.#world.informers.start(health);
    health.live('controllers', () => this.#controllers.map((one) => busyCheck(one)()).find((words) => words));
  }

  async lead(signal: AbortSignal): Promise<void> {
    await this.#world.informers.synced(signal);
    const salt = await Salt.load(this.#context.client, signal);
    const { plan, rendered, delivery, keeper } = this.#makeControllers(salt);
    this.#controllers = [plan, rendered];
    this.#world.interest = {
      plan: () => plan.enqueueAfter(ALL, GATHER_MS),
      rendered: (name, gone) => {
        if (gone !== undefined) keeper.lost(gone);
        rendered.enqueue(name);
      },
      nodeObject: (kind, name) => delivery.seen(kind, name),
      state: (names) => {
        for (const name of names) rendered.enqueueAfter(name, GATHER_MS);
      },
    };
    plan.enqueue(ALL);
    for (const name of this.#world.renderedNames()) rendered.enqueue(name);
    try {
      await Promise.all(this.#controllers.map((controller) => controller.run(signal)));
    } finally {
      this.#world.interest = undefined;
    }
  }

  stop(): Promise<void> {
    return this.#world.stop();
  }

  #makeControllers(salt: Salt) {
    const { client, log, metrics, events, flags } = this.#context;
    const world = this.#world;
    const shared = { client, world, now: Date.now };
    const of = (nodeUID: string) => salt.of(nodeUID);
    const { secret } = world.sources;
    const desires = new Desires(world.sources, of);
    const writer = new StateWriter(client, world.states);
    const delivery = new Delivery(client, world.nodeObjects);
    const keeper = new RenderedKeeper({ ...shared, retentionMs: flags.renderedRetention });
    const carryOut = new CarryOut({ writer, delivery, keeper, desires, secret, salt: of, events });
    const teller = new StatusTeller({ ...shared, configs: world.configs, events, metrics: this.#metrics });
    const parts = { desires, salt, writer, keeper, carryOut, teller, metrics: this.#metrics };
    const planner = new PlanController({ ...shared, ...parts });
    return {
      delivery,
      keeper,
      plan: new Controller({
        name: 'nodeconfig',
        reconcile: (key, context) => planner.reconcile(key, context),
        log,
        metrics,
      }),
      rendered: new Controller({
        name: 'renderedconfig',
        reconcile: (key, context) => keeper.reconcile(key, context),
        log,
        metrics,
      }),
    };
  }
}
