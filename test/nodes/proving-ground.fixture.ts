import assert from 'node:assert/strict';
import type { NodeGroup, NodeState } from '#api/kinds.ts';
import type { Phase } from '#api/node-state.ts';
import { until } from '#test/cluster/until.ts';
import type { RealMachine } from '#test/machine/real/real-machine.ts';
import { Observer } from '#test/observer/observer.ts';
import { allRest, readWorld, type World } from '#test/stack/objects.ts';
import type { Stack } from '#test/stack/stack.ts';
import { startStack } from '#test/stack/start-stack.ts';

const PATIENCE_MS = 150_000;

export interface ProvingGroundOptions {
  /** Values for the chart. */
  values?: Record<string, unknown>;
  /** The group of all machines, changed before it is applied. */
  group?: (group: NodeGroup) => void;
}

/** Three real nodes that run 1.0.0 under careen, and the observer; one scenario after the other happens on them. */
export class ProvingGround {
  readonly stack: Stack;
  readonly #observer: Observer;
  #boots = new Map<string, number>();

  private constructor(stack: Stack) {
    this.stack = stack;
    this.#observer = new Observer(stack.cluster, ({ metadata }) =>
      stack.machineNames.includes(metadata.name),
    );
  }

  static async start({ values = {}, group }: ProvingGroundOptions = {}): Promise<ProvingGround> {
    const stack = await startStack({ nodes: 'real', machines: 3, firstVersion: '1.0.0', values });
    const ground = new ProvingGround(stack);
    ground.#observer.start();
    await stack.publishAndDeclare('1.0.0');
    await stack.applyGroup((applied) => {
      applied.spec.reboot.minReadySeconds = 0;
      group?.(applied);
    });
    await ground.rest('1.0.0');
    return ground;
  }

  async stop(): Promise<void> {
    this.#observer.stop();
    await this.stack.stop();
  }

  get machines(): readonly RealMachine[] {
    return this.stack.fleet.machines as readonly RealMachine[];
  }

  machine(name: string): RealMachine {
    return this.stack.machine(name) as RealMachine;
  }

  /** Runs a program on a node; what it printed. A failure of it is one of the test. */
  async on(name: string, ...argv: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.machine(name).exec(argv);
    assert.equal(status, 0, `${argv.join(' ')} on ${name}: ${stderr}`);
    return stdout.trimEnd();
  }

  look(): Promise<World> {
    return readWorld(this.stack.client, 'workers', 'app=shop');
  }

  async state(name: string): Promise<NodeState> {
    const { states } = await this.look();
    const found = states.find(({ metadata }) => metadata.name === name);
    if (found === undefined) throw new Error(`${name} has no NodeState`);
    return found;
  }

  /** Waits; the error tells how each node stood. */
  async until(what: string, holds: (world: World) => boolean | Promise<boolean>, timeoutMs = PATIENCE_MS) {
    let world: World | undefined;
    const condition = async () => holds((world = await this.look()));
    await until(what, condition, { timeoutMs, everyMs: 50 }).catch((cause: unknown) => {
      throw new Error(`waited in vain until ${what}\n${world === undefined ? '' : storyOf(world)}`, {
        cause,
      });
    });
  }

  /** Waits until a node, whichever unless told, is in one of `phases` of the update to `version`; its name. */
  async phase(version: string, phases: readonly Phase[], name?: string): Promise<string> {
    let found: NodeState | undefined;
    await this.until(`${name ?? 'a node'} is ${phases.join(' or ')} for ${version}`, ({ states }) => {
      found = states.find(
        ({ metadata, status }) =>
          (name === undefined || metadata.name === name) &&
          status?.update?.version === version &&
          phases.includes(status.update.phase),
      );
      return found !== undefined;
    });
    return found?.metadata.name ?? '';
  }

  /** Waits until every node runs `version` and rests. */
  async rest(version: string): Promise<void> {
    await this.until(`every node rests on ${version}`, (world) =>
      allRest(world, this.stack.machineNames, version),
    );
  }

  /** A new scenario: from here on outages and boots count. */
  begin(): void {
    this.#observer.ledger.reset();
    this.#boots = new Map(this.machines.map((machine) => [machine.name, machine.state().boots]));
  }

  /** How often each node has booted since `begin`. */
  boots(): Record<string, number> {
    const count = ({ name, state }: RealMachine, boots = state().boots) =>
      boots - (this.#boots.get(name) ?? 0);
    return Object.fromEntries(this.machines.map((machine) => [machine.name, count(machine)]));
  }

  /** The observer's verdict, and each node's count of boots: one, unless it is told otherwise. */
  judge(expected: Record<string, number> = {}, budget = 2): void {
    const { worst } = this.#observer.ledger;
    assert.ok(worst.count <= budget, `${worst.nodes.join(', ')} were unavailable at once`);
    const once = Object.fromEntries(this.stack.machineNames.map((name) => [name, 1]));
    assert.deepEqual(this.boots(), { ...once, ...expected });
  }

  get outages() {
    return this.#observer.ledger.outages;
  }
}

/** For people who ask why nothing moves. */
function storyOf({ nodes, states, lock, group }: World): string {
  const each = states.map(({ metadata, spec, status }) => {
    const node = nodes.find((one) => one.metadata.name === metadata.name);
    const { update } = status ?? {};
    return [
      metadata.name,
      `runs ${status?.os?.version ?? '?'}, ${update?.phase ?? '?'} ${update?.version ?? ''}`,
      node?.spec?.unschedulable === true ? 'cordoned' : 'schedulable',
      `update: ${spec.update?.version ?? '-'} ${spec.update?.hold?.message ?? ''}`,
      `reboot: ${spec.reboot?.hold?.message ?? ''}`,
      update?.error === undefined ? '' : `${update.error.code}: ${update.error.message}`,
    ].join('; ');
  });
  const holders = (lock?.status?.holders ?? []).map((holder) => JSON.stringify(holder));
  return [
    ...each,
    `holders: ${holders.join(' ')}`,
    `halted: ${group?.status?.rollout?.halted?.reason ?? ''}`,
  ].join('\n');
}
