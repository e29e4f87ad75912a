import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import type { NodeGroup, UpdateChannel } from '#api/kinds.ts';
import { KubeClient } from '#runtime/client/client.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import type { FaultProxy } from '#test/cluster/faults/proxy.ts';
import type { Fleet } from '#test/machine/fleet.ts';
import type { Machine } from '#test/machine/machine.ts';
import type { PayloadServer } from '#test/machine/payload-server.ts';
import type { Ground, NodesKind } from './ground.ts';
import { run } from './kubectl.ts';
import type { RealBehaviour } from '#test/machine/real/parts/behaviour.ts';
import type { Releases } from './releases.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** The API server writes its audit log in batches. */
const AUDIT_SETTLES_MS = 1500;

export interface StackParts {
  nodes: NodesKind;
  cluster: Cluster;
  client: KubeClient;
  ground: Ground;
  releases: Releases;
  payloads: PayloadServer;
  faults: FaultProxy | undefined;
  patienceMs: number;
  /** Everything that was started, last first. */
  started: AsyncDisposableStack;
}

/**
 * All of careen on real parts: a control plane, machines with disks, the chart installed by Helm, and a server of
 * signed payloads.
 */
export class Stack {
  /** What its machines are. */
  readonly nodes: NodesKind;
  readonly cluster: Cluster;
  readonly client: KubeClient;
  readonly ground: Ground;
  readonly releases: Releases;
  readonly patienceMs: number;
  /** What spoils the operators' requests, if the stack was started with `faults`. */
  readonly faults: FaultProxy | undefined;
  readonly payloads: PayloadServer;
  readonly #started: AsyncDisposableStack;

  constructor(parts: StackParts) {
    this.nodes = parts.nodes;
    this.cluster = parts.cluster;
    this.client = parts.client;
    this.ground = parts.ground;
    this.releases = parts.releases;
    this.payloads = parts.payloads;
    this.faults = parts.faults;
    this.patienceMs = parts.patienceMs;
    this.#started = parts.started;
  }

  /** The machines that take updates. */
  get fleet(): Fleet {
    return this.ground.fleet;
  }

  get machineNames(): string[] {
    return this.fleet.machines.map(({ name }) => name);
  }

  machine(name: string): Machine {
    const found = this.fleet.machines.find((machine) => machine.name === name);
    if (found === undefined) throw new Error(`no machine is called ${name}`);
    return found;
  }

  /** Which machines run now, and in which boot, as they know themselves. */
  power(): Map<string, { up: boolean; boots: number }> {
    return new Map(
      this.fleet.machines.map((machine) => {
        const { power, boots } = machine.state();
        return [machine.name, { up: power === 'up', boots }];
      }),
    );
  }

  kubectl(args: readonly string[], input?: string): Promise<string> {
    return run(this.cluster.tools.kubectl, ['--kubeconfig', this.cluster.kubeconfig, ...args], input);
  }

  /** Applies objects as a person does: `kubectl apply`. */
  async apply(objects: readonly object[]): Promise<void> {
    await this.kubectl(['apply', '-f', '-'], objects.map((object) => stringify(object)).join('---\n'));
  }

  /** Applies examples/node-group.yaml, changed first where a test wants it different. */
  async applyGroup(change: (group: NodeGroup) => void = () => undefined): Promise<void> {
    const group = await example<NodeGroup>('node-group.yaml');
    change(group);
    await this.apply([group]);
  }

  /** Builds and signs a release and declares it in the channel, with all that were declared before. */
  async publishAndDeclare(version: string, behaviour: RealBehaviour = 'ok'): Promise<void> {
    await this.releases.publish(version, behaviour);
    await this.declare();
  }

  /** Applies examples/update-channel.yaml with our releases and our key. */
  async declare(): Promise<void> {
    const channel = await example<UpdateChannel>('update-channel.yaml');
    const spec = { source: { releases: this.releases.declared }, keys: [this.releases.publicKey] };
    await this.apply([{ ...channel, spec }]);
  }

  /** Waits until the audit log holds all that happened so far. */
  async settle(): Promise<void> {
    await sleep(AUDIT_SETTLES_MS);
  }

  /** Ends everything, whatever of it fails to end. */
  stop(): Promise<void> {
    return this.#started.disposeAsync();
  }
}

async function example<T>(file: string): Promise<T> {
  return parse(await readFile(path.join(ROOT, 'examples', file), 'utf8')) as T;
}
