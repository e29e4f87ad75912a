import { Controller } from '#runtime/controller/controller.ts';
import { busyCheck } from '#runtime/health/health.ts';
import type { Operator, OperatorContext } from '#runtime/operator/operator.ts';
import { ChannelController } from './channel/channel-controller.ts';
import { httpUpstream } from './channel/upstream/ask-upstream.ts';
import { GroupController } from './group/group-controller.ts';
import { MachineBook } from './group/machine-book.ts';
import { GroupMetrics } from './group/group-metrics.ts';
import { keepHouse } from './omaha/housekeeping.ts';
import type { OmahaFlags } from './omaha/omaha-flags.ts';
import { startOmaha, type RunningOmaha } from './omaha/start-omaha.ts';
import { NodeWrites } from './state/node-writes.ts';
import { StateController } from './state/state-controller.ts';
import { StateWriter } from './state/state-writer.ts';
import { World } from './world.ts';

/** Events come in bursts; a plan covers all nodes, so it waits this long for more of them. */
const GATHER_MS = 50;

/** How often the leader looks at the machines. */
const HOUSE_MS = 2000;
const SAMPLE_MS = 15 * 60_000;
const MOST_RECORDS = 1_000_000;

type UpdateContext = OperatorContext<OmahaFlags>;

/** Decides which version each node should have. Caches run on every replica, decisions only on the leader. */
export class UpdateOperator implements Operator {
  readonly #context: UpdateContext;
  readonly #world: World;
  readonly #metrics: GroupMetrics;
  readonly #upstream = httpUpstream();
  #controllers: Controller[] = [];
  #omaha: RunningOmaha | undefined;

  /** Starts what runs on every replica: caches and, where it is asked for, the Omaha endpoint. */
  static async start(context: UpdateContext): Promise<UpdateOperator> {
    const operator = new UpdateOperator(context);
    try {
      await operator.#answer();
    } catch (error) {
      await operator.stop();
      throw error;
    }
    return operator;
  }

  private constructor(context: UpdateContext) {
    const { client, log, metrics, health } = context;
    this.#context = context;
    this.#world = new World(client, { log, metrics });
    this.#metrics = new GroupMetrics(metrics.registry);
    this.#world.informers.start(health);
    health.live('controllers', () => this.#controllers.map((one) => busyCheck(one)()).find((words) => words));
  }

  /** Machines are not answered before the groups are known: they would be told that there are none. */
  async #answer(): Promise<void> {
    if (this.#context.flags.omahaAddress === undefined) return;
    await this.#world.informers.synced(this.#context.signal);
    this.#omaha = await startOmaha(this.#context, this.#world);
  }

  async lead(signal: AbortSignal): Promise<void> {
    await this.#world.informers.synced(signal);
    const { groups, channels, nodes } = this.#makeControllers();
    this.#controllers = [groups, channels, nodes];
    this.#world.interest = {
      group: (name) => groups.enqueueAfter(name, GATHER_MS),
      channel: (name) => channels.enqueue(name),
      node: (name) => nodes.enqueue(name),
    };
    this.#world.lookAtAll();
    try {
      await Promise.all([
        ...this.#controllers.map((controller) => controller.run(signal)),
        this.#keepHouse((group) => groups.enqueueAfter(group, GATHER_MS), signal),
      ]);
    } finally {
      this.#world.interest = undefined;
    }
  }

  async stop(): Promise<void> {
    await this.#omaha?.close();
    await Promise.all([this.#world.informers.stop(), this.#upstream.close()]);
  }

  async #keepHouse(onChange: (group: string) => void, signal: AbortSignal): Promise<void> {
    if (this.#omaha === undefined) return;
    const { flags, log } = this.#context;
    const policy = {
      silentMs: flags.omahaSilentAfter,
      forgetMs: flags.omahaForgetAfter,
      historyMs: flags.omahaKeepHistory,
      historyRecords: MOST_RECORDS,
      sampleMs: SAMPLE_MS,
    };
    const house = { store: this.#omaha.store, policy, onChange, log, now: Date.now, everyMs: HOUSE_MS };
    await keepHouse(house, signal);
  }

  #makeControllers(): Record<'groups' | 'channels' | 'nodes', Controller> {
    const { client, log, metrics, events } = this.#context;
    const shared = { client, world: this.#world, metrics: this.#metrics, now: Date.now };
    const writer = new StateWriter(client, this.#world.states);
    const book = this.#omaha === undefined ? undefined : new MachineBook(this.#omaha.store);
    const writes = new NodeWrites(writer, events);
    const group = new GroupController({ ...shared, writer, writes, events, book });
    const state = new StateController({ ...shared, writer, writes });
    const channel = new ChannelController({
      client,
      channels: this.#world.channels,
      ask: this.#upstream.ask,
      now: Date.now,
      random: Math.random,
    });
    return {
      groups: new Controller({
        name: 'nodegroup',
        reconcile: (key, ctx) => group.reconcile(key, ctx),
        log,
        metrics,
        workers: 2,
      }),
      channels: new Controller({
        name: 'updatechannel',
        reconcile: (key, ctx) => channel.reconcile(key, ctx),
        log,
        metrics,
        workers: 4, // an upstream may take its time
      }),
      nodes: new Controller({
        name: 'nodestate',
        reconcile: (key, ctx) => state.reconcile(key, ctx),
        log,
        metrics,
        workers: 4,
      }),
    };
  }
}
