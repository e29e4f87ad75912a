import { API_VERSION } from '#api/group.ts';
import type { NodeGroup } from '#api/kinds.ts';
import { nodeGroupSpec, nodeGroupStatus, type NodeGroupStatus } from '#api/node-group.ts';
import { groupStatus } from '#operators/update/group/group-status.ts';
import { type Fate, SimulatedFleet } from '#operators/update/testing/simulated-fleet.ts';

const KEY = `RW${'A'.repeat(54)}`;

/** A group of three nodes as its operator sees it, from the first look to the end of a rollout or its halt. */
export class GroupStory {
  readonly spec: NodeGroup['spec'];
  readonly #fleet: SimulatedFleet;
  #status: NodeGroupStatus | undefined;

  constructor(update: object = {}, fate: Fate = 'good') {
    this.spec = nodeGroupSpec.parse({ nodeSelector: {}, update: { channel: 'stable', ...update } });
    const nodes = ['a', 'b', 'c'].map((name) => ({ name, running: '1.0.0', fates: { '2.0.0': fate } }));
    const channel = { name: 'stable', keys: [KEY], blocked: new Set<string>(), releases: [] };
    this.#fleet = new SimulatedFleet({ spec: this.spec, channel, nodes });
  }

  publish(...versions: string[]): this {
    const releases = versions.map((version) => ({
      version,
      floor: false,
      payload: { manifest: `http://x/${version}` },
    }));
    this.#fleet.channel = { ...this.#fleet.channel, releases: releases.toReversed() };
    return this;
  }

  /** Nodes do one step each, which is as far as they come while no window is open: they stage. */
  step(): this {
    for (const machine of this.#fleet.machines) this.#fleet.step(machine);
    return this;
  }

  /** Nodes go on until nothing moves any more. */
  work(): this {
    do this.status();
    while (this.#fleet.machines.filter((machine) => this.#fleet.step(machine)).length > 0);
    return this;
  }

  /** What the operator writes now. */
  status(conflicts: { node: string; with: string[] }[] = []): NodeGroupStatus {
    const metadata = { name: 'g', generation: 1 };
    const object: NodeGroup = { apiVersion: API_VERSION, kind: 'NodeGroup', metadata, spec: this.spec };
    if (this.#status !== undefined) object.status = this.#status;
    const plan = this.#fleet.reconcile();
    const now = new Date(this.#fleet.now).toISOString();
    const { machines: nodes } = this.#fleet;
    const status = groupStatus({ object, policy: this.spec.update, plan, nodes, conflicts, now });
    this.#status = nodeGroupStatus.parse(status);
    return this.#status;
  }
}
