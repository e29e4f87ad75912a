import { nodeGroupSpec } from '#api/node-group.ts';
import { rebootWindowSpec, type RebootWindowSpec } from '#api/reboot-window.ts';
import { nodeFacts, type NodeFacts } from '../lock/facts.ts';
import { readLock } from '../lock/lock.ts';
import { readGroup } from '../group/group.ts';
import type { Snapshot } from '../lock/snapshot.ts';
import { readWindow } from '#runtime/window/named.ts';
import { Machines } from './machines.ts';
import { World } from './world.ts';

interface Shape {
  max?: number | string;
  /** Of NodeGroup.spec.reboot. */
  reboot?: object;
  labels?: Record<string, Record<string, string>>;
}

/** A small cluster to take decisions from by hand: nodes n0, n1, … under a group `all` with its lock. */
export function clusterOf(nodes: number, { max = 1, reboot = {}, labels = {} }: Shape = {}) {
  const world = new World();
  const spec = nodeGroupSpec.parse({
    nodeSelector: {},
    reboot: { maxUnavailable: max, minReadySeconds: 10, ...reboot },
  });
  world.groups.push({ apiVersion: '', kind: 'NodeGroup', metadata: { name: 'all' }, spec });
  for (let index = 0; index < nodes; index++) world.addNode(`n${index}`, labels[`n${index}`] ?? {});
  world.addLock('all', { maxUnavailable: max });
  return { world, machines: new Machines(world) };
}

export function addWindow(world: World, name: string, spec: Partial<RebootWindowSpec>): void {
  const parsed = rebootWindowSpec.parse({ nodeSelector: {}, ...spec });
  world.windows.push({ apiVersion: '', kind: 'RebootWindow', metadata: { name }, spec: parsed });
}

interface Eyes {
  readyForMs?: number;
  ownNode?: string;
}

/** What a perfectly informed operator would decide from; `readyForMs` is how long all Ready nodes have been so. */
export function snapshotOf(world: World, { readyForMs = 60_000, ownNode }: Eyes = {}): Snapshot {
  const facts = (name: string): NodeFacts => {
    const node = world.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return nodeFacts(node, world.states.get(name), world.isReady(name) ? readyForMs : 0);
  };
  const locks = [...world.locks.values()].map((lock) => readLock(lock));
  const holders = locks.flatMap((lock) => lock.holders.map(({ id }) => id));
  return {
    now: world.now,
    identity: 'me',
    ownNode,
    nodes: [...world.nodes.keys()].map((name) => facts(name)),
    gone: new Set(holders.filter((id) => !world.nodes.has(id))),
    groups: world.groups.map((group) => readGroup(group)),
    locks: locks.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    windows: world.windows.map((window) => readWindow(window)),
  };
}
