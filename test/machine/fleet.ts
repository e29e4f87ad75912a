import { join } from 'node:path';
import { isReady, type Node } from '#api/meta.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { guardedDirectory, type GuardedDirectory } from '#test/cluster/guardian.ts';
import { until } from '#test/cluster/until.ts';
import type { MachineOptions } from './machine-options.ts';
import type { Machine } from './machine.ts';
import { createMachine } from './simulated-machine.ts';

export interface FleetOptions extends Omit<MachineOptions, 'name' | 'directory' | 'within' | 'zone'> {
  count: number;
  /** Machines are named `<prefix>1`, `<prefix>2`, …; `node` unless told. */
  prefix?: string | undefined;
  /** Machines are spread over these in turn. */
  zones?: readonly string[] | undefined;
}

/** Machines that live and vanish together. */
export class Fleet {
  readonly machines: readonly Machine[];
  readonly directory: string;
  readonly #guarded: GuardedDirectory;
  readonly #kubeconfig: string;

  constructor(machines: readonly Machine[], guarded: GuardedDirectory, kubeconfig: string) {
    this.machines = machines;
    this.directory = guarded.path;
    this.#guarded = guarded;
    this.#kubeconfig = kubeconfig;
  }

  powerOn(): void {
    for (const machine of this.machines) machine.powerOn();
  }

  /** Resolves when every machine's present boot is Ready in the API. */
  async ready(timeoutMs = 300_000): Promise<void> {
    const admin = KubeClient.load({ kubeconfig: this.#kubeconfig, userAgent: 'careen test fleet' });
    const all = async (): Promise<boolean> => {
      const { items } = await admin.list<Node>('/api/v1/nodes');
      const nodes = new Map(items.map((node) => [node.metadata.name, node]));
      const waiting = this.machines.filter((machine) => !isUp(machine, nodes.get(machine.name)));
      if (waiting.length > 0) throw new Error(waiting.map(({ name }) => `${name} is not`).join(', '));
      return true;
    };
    try {
      await until('all machines are Ready', all, { timeoutMs, everyMs: 100 });
    } finally {
      await admin.close();
    }
  }

  /** Deletes all machines and their Nodes; leaves nothing. */
  async delete(): Promise<void> {
    await Promise.all(this.machines.map((machine) => machine.delete()));
    await this.#guarded.remove();
  }
}

/** Makes `count` machines, switched off, in a directory that vanishes with this program. */
export async function createFleet(options: FleetOptions): Promise<Fleet> {
  const { count, prefix = 'node', zones = [], ...machine } = options;
  const guarded = await guardedDirectory('careen-machines-');
  const machines: Machine[] = [];
  for (let number = 1; number <= count; number += 1) {
    const name = `${prefix}${number}`;
    const directory = join(guarded.path, name);
    const zone = zones[(number - 1) % Math.max(1, zones.length)];
    machines.push(await createMachine({ ...machine, name, directory, zone, within: guarded.cleanup }));
  }
  return new Fleet(machines, guarded, options.cluster.kubeconfig);
}

function isUp(machine: Machine, node: Node | undefined): boolean {
  const { power, bootID } = machine.state();
  return power === 'up' && node !== undefined && node.status?.nodeInfo?.bootID === bootID && isReady(node);
}
