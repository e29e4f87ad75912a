import { nodeGroupSpec } from '#api/node-group.ts';
import { decide } from '#operators/reboot-lock/lock/decide.ts';
import { lockStatus } from '#operators/reboot-lock/lock/status.ts';
import type { Snapshot } from '#operators/reboot-lock/lock/snapshot.ts';
import { addWindow, snapshotOf } from '#operators/reboot-lock/simulation/cluster-of.ts';
import { Machines } from '#operators/reboot-lock/simulation/machines.ts';
import { World } from '#operators/reboot-lock/simulation/world.ts';

/*
 * How long one decision over all locks takes: 5 000 nodes in 10 groups of a lock each, every node asking for its
 * reboot, two windows, one lock over all. Run: node bench/reboot-lock.ts
 */

const NODES = 5000;
const GROUPS = 10;
const RUNS = 20;

interface Fleet {
  asking: boolean;
  max: string;
  /** The first decision is carried out before the one that is measured. */
  full: boolean;
}

function fleet({ asking, max, full }: Fleet): Snapshot {
  const world = new World();
  const machines = new Machines(world);
  for (let index = 0; index < GROUPS; index++) {
    const name = `group-${index}`;
    const nodeSelector = { matchLabels: { group: name } };
    const spec = nodeGroupSpec.parse({ nodeSelector, reboot: { maxUnavailable: max } });
    world.groups.push({ apiVersion: '', kind: 'NodeGroup', metadata: { name }, spec });
    world.addLock(name, { nodeSelector, maxUnavailable: max });
  }
  world.addLock('zones', { topologyKey: 'zone', maxUnavailable: '20%', maxDomains: 2 });
  addWindow(world, 'always', { allow: [{ schedule: '0 * * * *', duration: '2h', timeZone: 'UTC' }] });
  addWindow(world, 'no-friday', {
    deny: [{ schedule: '0 0 * * 5', duration: '24h', timeZone: 'Europe/Berlin' }],
  });
  for (let index = 0; index < NODES; index++) {
    world.addNode(`n${index}`, { group: `group-${index % GROUPS}`, zone: `z${index % 3}` });
  }
  if (asking) for (const name of world.nodes.keys()) machines.request(name);
  const { locks } = decide(snapshotOf(world));
  for (const { name, holders } of full ? locks : []) {
    world.editLock(name, (lock) => (lock.status = { observedGeneration: 1, holders: [...holders] }));
  }
  return snapshotOf(world);
}

function median(run: () => void): number {
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return times.toSorted((a, b) => a - b)[RUNS / 2] ?? NaN;
}

for (const [what, shape] of [
  ['idle', { asking: false, max: '2%', full: true }],
  ['every node asks and the locks are full', { asking: true, max: '2%', full: true }],
  ['every node asks and the locks are empty', { asking: true, max: '20%', full: false }],
] as const) {
  const snapshot = fleet(shape);
  const decided = median(() => decide(snapshot));
  const decision = decide(snapshot);
  const told = median(() => decision.locks.forEach((lock) => lockStatus(lock, decision, snapshot)));
  const holders = decision.locks.map((lock) => lock.holders.length).reduce((sum, one) => sum + one, 0);
  console.log(
    `${NODES} nodes, ${GROUPS} groups, ${what}, ${holders} places: decide() ${decided.toFixed(1)} ms, ` +
      `statuses of all locks ${told.toFixed(1)} ms (median of ${RUNS})`,
  );
}
