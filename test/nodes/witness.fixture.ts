import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HealthGate } from '#api/health.ts';
import type { NodeGroup } from '#api/kinds.ts';
import { isReady, type Pod } from '#api/meta.ts';
import { PodLedger, WORKLOAD, workloadManifests } from '#demo/workload.ts';
import { until } from '#test/cluster/until.ts';
import { RealMachine } from '#test/machine/real/real-machine.ts';
import { Observer } from '#test/observer/observer.ts';
import { allRest, readWorld, type World } from '#test/stack/objects.ts';
import type { Stack } from '#test/stack/stack.ts';
import { startStack } from '#test/stack/start-stack.ts';
import { HOLDABLE } from './holds.fixture.ts';
import { momentOf, type Moment } from './moment.fixture.ts';
import { Sights, type Sight } from './sights.fixture.ts';

/** That have a leader: update and reboot-lock. */
const OPERATORS = 2;
const PODS = '/api/v1/namespaces/default/pods';
const LOOK_EVERY_MS = 250;
/** Pods of the application; fewer than in the demo, since to move them takes most of the time. */
const REPLICAS = 6;
/** On two cores that do nothing else it takes half a minute. */
const ARRIVE_WITHIN_MS = 360_000;

export interface WitnessOptions {
  machines: number;
  /** How many nodes may be unavailable at once. */
  budget: number;
  /** Deadline of the health gate. */
  gate: HealthGate['deadline'];
  /** Values for the chart. */
  values?: Record<string, unknown>;
  /** What else is different from examples/node-group.yaml. */
  change?: (group: NodeGroup) => void;
  /** How many of the application's pods may be unavailable at once; two if nothing is said. */
  disruption?: string;
}

/**
 * Real nodes with careen on them and an application that must not notice, all of it watched: tests make trouble, and
 * the witness says in the end whether what is promised was kept.
 */
export class Witness {
  readonly stack: Stack;
  readonly sights: Sights;
  readonly #options: WitnessOptions;
  readonly #observer: Observer;
  readonly #pods = new PodLedger();
  /** Machines whose power a test has cut: their pods went down without anybody's fault. */
  readonly #cut = new Set<string>();
  readonly #over = new AbortController();
  #atRest = true;

  private constructor(stack: Stack, options: WitnessOptions) {
    this.stack = stack;
    this.#options = options;
    this.sights = new Sights(stack.cluster);
    this.#observer = new Observer(stack.cluster);
    this.#observer.start();
    void this.#watchPods();
  }

  /** Resolves when all nodes rest on 1.0.0 and the application serves. */
  static async start(options: WitnessOptions): Promise<Witness> {
    const { machines, values = {} } = options;
    const stack = await startStack({ nodes: 'real', machines, firstVersion: '1.0.0', values });
    const witness = new Witness(stack, options);
    try {
      await witness.#deploy();
      await witness.publish('1.0.0');
      await witness.changeGroup();
      await witness.arrive('1.0.0');
      return witness;
    } catch (error) {
      await witness.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#over.abort();
    this.#observer.stop();
    this.sights.stop();
    await this.stack.stop();
  }

  get names(): string[] {
    return this.stack.machineNames;
  }

  machine(name: string): RealMachine {
    const found = this.stack.machine(name);
    if (found instanceof RealMachine) return found;
    throw new TypeError(`${name} is no real machine`);
  }

  /** Applies the group of these tests, with one more change. */
  changeGroup(change: (group: NodeGroup) => void = () => undefined): Promise<void> {
    return this.stack.applyGroup((group) => {
      group.spec.reboot.maxUnavailable = this.#options.budget;
      group.spec.reboot.minReadySeconds = 1;
      group.spec.health = { deadline: this.#options.gate, checks: [NODE_READY, HOLDABLE] };
      this.#options.change?.(group);
      change(group);
    });
  }

  /** Builds and publishes a version, for nodes that all rest. */
  async publish(version: string): Promise<void> {
    assert.ok(this.#atRest, 'the test before this one left the nodes on their way');
    this.#atRest = false;
    await this.stack.publishAndDeclare(version);
  }

  /** Resolves in the moment in which a node is where the test wants it; any node if no name is given. */
  when(moment: Moment, name?: string): Promise<Sight> {
    const fits = (sight: Sight) => sight.moment === moment && (name ?? sight.name) === sight.name;
    return this.sights.when(`${name ?? 'a node'} is ${moment}`, fits);
  }

  /** Resolves when a node, this one or any, has written some of its slot. */
  whenWritten(name?: string): Promise<Sight> {
    const fits = (sight: Sight) => isWritten(sight) && (name ?? sight.name) === sight.name;
    return this.sights.when(`${name ?? 'a node'} has written some of its slot`, fits);
  }

  /** Whether every operator has a leader that was heard of after `instant` (epoch milliseconds), and every node is Ready. */
  async backSince(instant: number): Promise<boolean> {
    const { leaders, nodes } = await this.#world();
    const lead = leaders.filter(({ renewedAt }) => renewedAt > instant).length;
    return lead === OPERATORS && nodes.every((node) => isReady(node));
  }

  /** Where each node is now, as the API server knows. */
  async moments(): Promise<Record<string, Moment>> {
    const { nodes, states } = await this.#world();
    const pairs = states.flatMap((state) => {
      const node = nodes.find(({ metadata }) => metadata.name === state.metadata.name);
      return node === undefined ? [] : [[node.metadata.name, momentOf(node, state)]];
    });
    return Object.fromEntries(pairs) as Record<string, Moment>;
  }

  /** Does something to every machine at once. */
  async everywhere(work: (machine: RealMachine) => Promise<unknown>): Promise<void> {
    await Promise.all(this.names.map((name) => work(this.machine(name))));
  }

  /** Who has a place in the budget, as the lock says. */
  async holders(): Promise<string[]> {
    const { lock } = await this.#world();
    return (lock?.status?.holders ?? []).map(({ id }) => id);
  }

  /** Why the rollout has halted, if it has. */
  async halted(): Promise<string | undefined> {
    const { group } = await this.#world();
    return group?.status?.rollout?.halted?.reason;
  }

  /** Takes the electricity away; pods that were on that machine are nobody's fault. */
  async cutPower(name: string): Promise<void> {
    this.#cut.add(name);
    await this.stack.machine(name).cutPower();
  }

  /** As a person who asks nobody; pods that were on that machine are nobody's fault. */
  async reboot(name: string): Promise<void> {
    this.#cut.add(name);
    await this.stack.machine(name).reboot();
  }

  /** Waits until every node, or every one of `names`, rests on `version`, and judges what happened since the last time. */
  async arrive(version: string, names: readonly string[] = this.names): Promise<string> {
    // The watches cost nothing; what they show is looked at once more.
    const rest = async () => this.sights.rest(names, version) && allRest(await this.#world(), names, version);
    const serve = () => this.#pods.ready === REPLICAS;
    try {
      const often = { timeoutMs: ARRIVE_WITHIN_MS, everyMs: LOOK_EVERY_MS };
      await until(`every node rests on ${version}`, rest, often);
      await until('all pods are ready', serve, often);
    } catch (error) {
      throw new Error(`${version} did not arrive:\n${this.sights.describe()}`, { cause: error });
    }
    this.#atRest = true;
    return this.#judge();
  }

  async #deploy(): Promise<void> {
    const { disruption: maxUnavailable = 2 } = this.#options;
    await this.stack.apply(workloadManifests({ replicas: REPLICAS, maxUnavailable }));
  }

  /** The budget was kept, no pod went down with its node, and every machine found something to boot. */
  #judge(): string {
    const { ledger } = this.#observer;
    const { count, nodes } = ledger.worstTaken;
    const { budget } = this.#options;
    assert.ok(count <= budget, `cordoned beyond the budget of ${budget}: ${nodes.join(', ')}`);
    assert.deepEqual([...this.#pods.lost], [], 'pods went down with their node instead of being evicted');
    const told = `at most ${count} of ${budget} taken at once, ${ledger.worst.count} unavailable; ${ledger.reboots.length} reboots`;
    ledger.reset();
    this.#pods.reset();
    this.#cut.clear();
    return told;
  }

  /** Nothing is seen while there is no API server. */
  async #watchPods(): Promise<void> {
    while (!this.#over.signal.aborted) {
      await this.#lookAtPods().catch(() => undefined);
      await sleep(LOOK_EVERY_MS);
    }
  }

  async #lookAtPods(): Promise<void> {
    const before = this.stack.power();
    const { items } = await this.stack.client.list<Pod>(PODS, { labelSelector: `app=${WORKLOAD.name}` });
    const after = [...this.stack.power()].filter(([name]) => !this.#cut.has(name));
    this.#pods.see(items, before, new Map(after));
  }

  #world(): Promise<World> {
    return readWorld(this.stack.client, 'workers', `app=${WORKLOAD.name}`);
  }
}

function isWritten({ moment, state }: Sight): boolean {
  return moment === 'Staging' && (state.status?.update?.progress?.bytes ?? 0) > 0;
}

const NODE_READY: HealthGate['checks'][number] = { name: 'node-ready', nodeReady: {}, timeout: '10s' };
