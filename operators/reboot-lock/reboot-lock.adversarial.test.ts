import assert from 'node:assert/strict';
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { nodeGroupSpec } from '#api/node-group.ts';
import { rebootWindowSpec } from '#api/reboot-window.ts';
import { CONTROL_PLANE_LABEL } from '#api/meta.ts';
import { matches } from '#api/selector.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { KEEP_CORDONED_ANNOTATION } from '#api/group.ts';
import { readLock, domainOf, maxOf } from './lock/lock.ts';
import { compileWindow } from '#runtime/window/window.ts';
import { Crew, type Place } from './simulation/crew.ts';
import { Machines } from './simulation/machines.ts';
import { Replica, type Pending } from './simulation/replica.ts';
import { World, failure } from './simulation/world.ts';

interface Scenario {
  nodes: number;
  max: number;
  second: boolean;
  zones: 'none' | 'each' | 'oneAtATime';
  controlPlane: boolean;
  window: boolean;
  skip: boolean;
  /** The operator's own pods on the nodes; none: it runs elsewhere. */
  crew: 'none' | 'one' | 'two';
  graceful: boolean;
  seed: number;
  steps: number;
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  nodes: fc.integer({ min: 1, max: 7 }),
  max: fc.integer({ min: 1, max: 3 }),
  second: fc.boolean(),
  zones: fc.constantFrom('none', 'each', 'oneAtATime'),
  controlPlane: fc.boolean(),
  window: fc.boolean(),
  skip: fc.boolean(),
  crew: fc.constantFrom('none', 'one', 'two'),
  graceful: fc.boolean(),
  seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  steps: fc.integer({ min: 50, max: 600 }),
});

test('whatever crashes, races, lags or is lost: budget, windows and foreign cordons hold, and everyone finishes', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, (chosen) => new Simulation(chosen).run()),
    { numRuns: 500 },
  );
});

class Simulation {
  readonly world = new World();
  readonly machines = new Machines(this.world);
  readonly pending: Pending[] = [];
  readonly chosen: Scenario;
  readonly names: string[];
  replicas: Replica[];
  #random: number;
  #replicaCount = 0;
  #crew: Crew | undefined;

  constructor(chosen: Scenario) {
    this.chosen = chosen;
    this.#random = chosen.seed;
    this.names = Array.from({ length: chosen.nodes }, (_, i) => `n${i}`);
    this.#build();
    this.replicas = chosen.crew === 'none' ? [this.#replica(), this.#replica()] : [];
    if (chosen.crew !== 'none') this.#crew = this.#embark(chosen.crew === 'one' ? 1 : 2);
    this.#settleCrew();
  }

  #embark(replicas: number): Crew {
    return new Crew(this.world, {
      replicas,
      graceful: this.chosen.graceful,
      start: (place) => this.replicas.push(this.#replica(place)),
      end: (pod) => {
        const ended = this.replicas.find((replica) => replica.pod === pod);
        if (ended !== undefined) ended.dead = true;
        this.replicas = this.replicas.filter((replica) => replica !== ended);
      },
    });
  }

  #settleCrew(): void {
    this.#crew?.settle((node) => this.machines.phaseOf(node) === 'Rebooting');
  }

  #build(): void {
    const { world, chosen } = this;
    const onTimeout = chosen.skip ? 'Skip' : 'Hold';
    const reboot = { strategy: 'lock', minReadySeconds: 2, drain: { timeout: '30s', onTimeout } };
    const spec = nodeGroupSpec.parse({ nodeSelector: {}, reboot });
    world.groups.push({ apiVersion: '', kind: 'NodeGroup', metadata: { name: 'all' }, spec });
    for (const [index, name] of this.names.entries()) {
      const labels: Record<string, string> = { zone: `z${index % 3}` };
      if (index % 3 === 2) delete labels['zone'];
      if (index % 2 === 0) labels['role'] = 'even';
      if (chosen.controlPlane && index < 3) labels[CONTROL_PLANE_LABEL] = '';
      world.addNode(name, labels);
      const uid = `pod-${name}`;
      const ownerReferences = [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'r', controller: true },
      ];
      world.pods.set(name, [{ metadata: { name: uid, namespace: 'default', uid, ownerReferences } }]);
    }
    world.addLock('all', { maxUnavailable: chosen.max });
    world.addLock('control-plane', { maxUnavailable: 3 });
    if (chosen.second)
      world.addLock('even', { nodeSelector: { matchLabels: { role: 'even' } }, maxUnavailable: 1 });
    if (chosen.zones === 'each') world.addLock('zones', { topologyKey: 'zone', maxUnavailable: 1 });
    if (chosen.zones === 'oneAtATime') {
      world.addLock('zones', { topologyKey: 'zone', maxUnavailable: 2, maxDomains: 1 });
    }
    if (chosen.window) {
      const allow = [{ schedule: '*/2 * * * *', duration: '1m30s' }];
      const spec = rebootWindowSpec.parse({ nodeSelector: {}, allow });
      world.windows.push({ apiVersion: '', kind: 'RebootWindow', metadata: { name: 'w' }, spec });
    }
  }

  #replica(place?: Place): Replica {
    this.#replicaCount += 1;
    return new Replica(this.world, this.pending, `replica-${this.#replicaCount}`, place);
  }

  /** Uniform in [0, below). */
  #pick(below: number): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#random / 2 ** 32) * below);
  }

  #one<T>(list: readonly T[]): T {
    return list[this.#pick(list.length)] as T;
  }

  /** Nobody, while every pod of the operator is down. */
  #any(): Replica | undefined {
    return this.replicas.length === 0 ? undefined : this.#one(this.replicas);
  }

  async run(): Promise<void> {
    for (let step = 0; step < this.chosen.steps; step++) await this.#step();
    await this.#calm();
  }

  async #step(): Promise<void> {
    const { world } = this;
    world.step += 1;
    this.#pass(50 + this.#pick(400));
    const kind = this.#pick(100);
    if (kind < 45) this.#executeOne(true);
    else if (kind < 60) this.#any()?.start(this.#pick(2) === 0 ? 'locks' : this.#one(this.names));
    else if (kind < 75) this.#any()?.refresh(this.#one(['nodes', 'states', 'locks']));
    else if (kind < 92) this.machines.step(this.#one(this.names), this.#pick(5) === 0);
    else this.#mischief();
    this.#settleCrew();
    await turnOfLoop();
    this.#check();
  }

  #executeOne(hostile: boolean): void {
    if (this.pending.length === 0) return;
    const [call] = this.pending.splice(this.#pick(this.pending.length), 1);
    if (call === undefined || call.replica.dead) return;
    const fault = hostile ? this.#pick(40) : 40;
    if (fault === 0) {
      call.reject(failure('Unreachable', 0));
      return;
    }
    if (fault === 1) this.#crash(call.replica);
    const outcome = this.#carryOut(call);
    if (fault === 2) call.reject(failure('Unreachable', 0));
    else if (fault === 3) this.#crash(call.replica);
    else if (outcome instanceof Error) call.reject(outcome);
    else call.resolve(outcome);
  }

  /** Runs the call on the world and asks of every grant whether it was right to make it. */
  #carryOut({ execute, replica }: Pending): unknown {
    if (replica.dead) return failure('Unreachable', 0);
    const before = new Map(
      this.names.map((name) => [name, this.world.states.get(name)?.spec.reboot?.grant?.id]),
    );
    try {
      const outcome = execute();
      if (outcome instanceof Map) replica.readAt.set('', this.world.step);
      for (const name of this.names) {
        const id = this.world.states.get(name)?.spec.reboot?.grant?.id;
        if (id !== undefined && id !== before.get(name)) this.#granted(name, replica);
      }
      return outcome;
    } catch (error) {
      return error;
    }
  }

  #crash(replica: Replica): void {
    if (replica.dead) return;
    replica.dead = true;
    // A container restarts in its pod.
    const again = this.#replica(replica.place);
    this.replicas = [...this.replicas.filter((one) => one !== replica), again];
  }

  /** A grant was written: its node holds all its places, and nobody who was known to be down made it one too many. */
  #granted(name: string, replica: Replica): void {
    const { world } = this;
    const labels = world.nodes.get(name)?.metadata.labels ?? {};
    const readAt = replica.readAt.get('') ?? 0;
    for (const object of world.locks.values()) {
      const lock = readLock(object);
      if (!matches(lock.spec.nodeSelector, labels)) continue;
      if ((this.#wipedAt.get(lock.name) ?? -Infinity) >= readAt - SETTLE) continue;
      assert(
        lock.holders.some(({ id }) => id === name),
        `${name} was granted without its place in ${lock.name}`,
      );
      const domain = domainOf(lock, { labels });
      const members = this.names.filter((one) => {
        const other = world.nodes.get(one)?.metadata.labels ?? {};
        return matches(lock.spec.nodeSelector, other) && domainOf(lock, { labels: other }) === domain;
      });
      const holding = new Set(lock.holders.map(({ id }) => id));
      const down = members.filter(
        (one) => holding.has(one) || (world.downAt.get(one) ?? Infinity) < readAt - SETTLE,
      );
      assert(
        down.length <= maxOf(lock, members.length),
        `${name} granted: ${down.join(', ')} down under ${lock.name}`,
      );
    }
    const { spec: told, status } = world.states.get(name) ?? {};
    const asks = status?.reboot?.kind === 'Drain' ? 'drain' : 'reboot';
    assert.equal(told?.reboot?.grant?.mode, asks, `${name} asks for a ${asks}`);
    const notAfter = Date.parse(told?.reboot?.grant?.notAfter ?? '');
    for (const { spec } of world.windows) {
      assert(compileWindow(spec).at(notAfter - 1).open, 'a grant outlives its window');
    }
  }

  #mischief(): void {
    const { world, machines } = this;
    const name = this.#one(this.names);
    switch (this.#pick(12)) {
      case 0:
        return this.#foreignCordon(name);
      case 1:
        return this.#foreignUncordon(name);
      case 2:
        if (machines.phaseOf(name) !== 'Rebooting') world.ready(name, !world.isReady(name));
        return;
      case 3:
        world.now += this.#one([-600_000, -30_000, 30_000, 600_000]);
        return;
      case 4:
        return machines.withdraw(name);
      case 5:
        return this.#wipe(this.#one([...world.locks.keys()]));
      case 6: {
        const replica = this.#any();
        if (replica !== undefined) this.#crash(replica);
        return;
      }
      case 7:
        return machines.failReboot(name);
      case 8:
      case 9:
        return machines.requestDrain(name);
      default:
        if (['Idle', 'Succeeded'].includes(machines.phaseOf(name))) machines.request(name);
    }
  }

  readonly #wipedAt = new Map<string, number>();

  /** As `kubectl replace` or a restored backup does. */
  #wipe(name: string): void {
    this.#wipedAt.set(name, this.world.step);
    this.world.editLock(name, (lock) => (lock.status = { observedGeneration: -1 }));
  }

  #foreignCordon(name: string): void {
    const { world } = this;
    const ours = world.marked(name);
    world.foreign.add(name);
    world.editNode(name, (node) => {
      node.spec = { unschedulable: true };
      if (ours)
        node.metadata.annotations = { ...node.metadata.annotations, [KEEP_CORDONED_ANNOTATION]: 'yes' };
    });
  }

  #foreignUncordon(name: string): void {
    this.world.foreign.delete(name);
    this.world.editNode(name, (node) => {
      node.spec = {};
      delete node.metadata.annotations?.[KEEP_CORDONED_ANNOTATION];
    });
  }

  /** What must hold at every instant, whatever was known to whom. */
  #check(): void {
    const { world, machines } = this;
    for (const name of world.foreign) {
      assert(world.nodes.get(name)?.spec?.unschedulable === true, `the foreign cordon of ${name} was lifted`);
    }
    for (const { at, notAfter, node } of machines.accepted)
      assert(at <= notAfter, `${node} accepted too late`);
    for (const replica of this.replicas) {
      for (const error of replica.errors) if (!isKubeError(error)) throw error;
    }
    const away = this.names.filter(
      (name) => ['Rebooting', 'Verifying'].includes(machines.phaseOf(name)) || machines.configuring(name),
    );
    for (const name of away.filter((one) => machines.configuring(one))) {
      const { spec, status } = world.states.get(name) ?? {};
      assert.equal(
        spec?.reboot?.grant?.id,
        status?.reboot?.accepted,
        `${name} acts on a grant that was taken`,
      );
    }
    assert(away.length <= this.chosen.max, `${away.join(', ')} are away with max ${this.chosen.max}`);
    const quorum = away.filter(
      (name) => world.nodes.get(name)?.metadata.labels?.[CONTROL_PLANE_LABEL] !== undefined,
    );
    assert(quorum.length <= 1, `control-plane nodes ${quorum.join(', ')} are away together`);
  }

  /** Faults end, people tidy up: now every node must get its reboot and nothing of ours may stay. */
  async #calm(): Promise<void> {
    for (const name of this.names) {
      if (this.world.foreign.has(name)) this.#foreignUncordon(name);
      if (this.machines.phaseOf(name) !== 'Rebooting') this.world.ready(name, true);
      // Some have a change of their configuration before them.
      if (this.#pick(3) === 0) this.machines.requestDrain(name);
      else if (['Idle', 'Succeeded'].includes(this.machines.phaseOf(name))) this.machines.request(name);
    }
    for (let pass = 0; pass < 2000; pass++) {
      const before = this.world.version;
      await this.#settle();
      for (const name of this.names) {
        this.machines.step(name, false);
        this.#settleCrew();
      }
      this.#check();
      if (this.#done()) return;
      this.#pass(this.world.version === before ? this.#leap() : 1000);
    }
    assert.fail(`not everyone finished: ${JSON.stringify(this.#state(), null, 1)}`);
  }

  /** Where nothing happens by itself, time is waited for: pauses of minutes must not take hundreds of passes. */
  #leap(): number {
    const { world } = this;
    const turns = this.names.some((name) => world.marked(name) || !this.machines.isAtRest(name));
    return turns ? 3000 : 60_000;
  }

  /** Lets the leader do all it wants, with fresh caches: two that believe to lead are a fault, and it has ended. */
  async #settle(): Promise<void> {
    this.#leaderRuns();
    await turnOfLoop();
    while (this.pending.length > 0) {
      this.world.step += 1;
      for (let left = this.pending.length; left > 0; left--) this.#executeOne(false);
      this.#settleCrew();
      await turnOfLoop();
    }
  }

  #pass(ms: number): void {
    this.world.now += ms;
    this.world.monotonic += ms;
  }

  #leaderRuns(): void {
    const [leader] = this.replicas;
    if (leader === undefined) return;
    for (const kind of ['nodes', 'states', 'locks'] as const) leader.refresh(kind);
    for (const key of ['locks', ...this.names.filter((name) => this.#inTurn(name))]) leader.start(key);
  }

  /** The nodes that the operator looks at besides its rounds, and more. */
  #inTurn(name: string): boolean {
    const { world, machines } = this;
    const held = [...world.locks.keys()].some((lock) => world.holders(lock).some(({ id }) => id === name));
    const told = world.states.get(name)?.spec.reboot?.grant !== undefined;
    return held || told || world.marked(name) || !machines.isAtRest(name);
  }

  #done(): boolean {
    const { world, machines } = this;
    return (
      this.names.every((name) => world.states.get(name)?.status?.reboot?.requested !== true) &&
      this.names.every((name) => machines.isAtRest(name) && !world.marked(name)) &&
      this.names.every((name) => world.nodes.get(name)?.spec?.unschedulable !== true) &&
      [...world.locks.keys()].every((lock) => world.holders(lock).length === 0)
    );
  }

  #state() {
    return {
      nodes: this.names.map((name) => ({
        name,
        phase: this.machines.phaseOf(name),
        spec: this.world.nodes.get(name)?.spec,
        boot: this.world.nodes.get(name)?.status?.nodeInfo?.bootID,
        marked: this.world.marked(name),
        reboot: this.world.states.get(name)?.spec.reboot,
        status: this.world.states.get(name)?.status,
      })),
      locks: [...this.world.locks.values()].map(({ metadata, status }) => [metadata.name, status]),
      now: this.world.iso(),
      errors: this.replicas.map(({ errors }) => errors.map(String).slice(-5)),
    };
  }
}

/** Reads of one decision are spread over some steps; what went down within them may have been missed. */
const SETTLE = 60;
