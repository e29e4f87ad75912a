import { Round } from '../lock/round.ts';
import { Turns } from '../turn/turns.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Pod } from '#api/meta.ts';
import type { Place } from './crew.ts';
import { View, type Caches } from '../cluster/view.ts';
import { failure, type World } from './world.ts';

/** A call to the API server that has been sent and not been carried out yet. */
export interface Pending {
  /** Method of Cluster. */
  name: string;
  replica: Replica;
  execute: () => unknown;
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

/**
 * One replica of the operator that believes it leads, with caches of its own that lag as the test wants. Its
 * calls wait in `pending` until the test lets them through, in any order, or loses them or their answers.
 */
export class Replica {
  readonly #world: World;
  readonly #pending: Pending[];
  readonly #caches: Caches & { refresh(kind: 'nodes' | 'states' | 'locks'): void };
  readonly #view: View;
  readonly #round: Round;
  readonly #turns: Turns;
  readonly busy = new Set<string>();
  readonly errors: unknown[] = [];
  /** Step of the last consistent read of all nodes, by the task that made it. */
  readonly readAt = new Map<string, number>();
  dead = false;
  readonly place: Place | undefined;

  /** Name of the pod that it runs in. */
  get pod(): string | undefined {
    return this.place?.self.pod;
  }

  /** `place`: the pod and node that it runs in, if it runs in one. */
  constructor(world: World, pending: Pending[], identity: string, place?: Place) {
    this.#world = world;
    this.#pending = pending;
    this.#caches = lagging(world);
    const cluster = this.#cluster();
    this.#view = new View({
      caches: this.#caches,
      cluster,
      identity,
      ownNode: place?.ownNode,
      now: () => world.now,
      monotonicMs: () => world.monotonic,
    });
    this.#round = new Round(this.#view, cluster);
    this.#turns = new Turns({ view: this.#view, cluster, identity, self: place?.self });
    this.place = place;
  }

  refresh(kind: 'nodes' | 'states' | 'locks'): void {
    this.#caches.refresh(kind);
    for (const node of this.#caches.nodes()) this.#view.observe(node);
    this.#view.changed();
  }

  /** Starts a round (`locks`) or a step of a node's turn, unless one of that key is under way. */
  start(key: string): void {
    if (this.dead || this.busy.has(key)) return;
    this.busy.add(key);
    const task = key === 'locks' ? this.#round.run() : this.#turns.step(key);
    task.catch((error: unknown) => this.errors.push(error)).finally(() => this.busy.delete(key));
  }

  #cluster(): Cluster {
    const world = this.#world;
    const call = <T>(name: keyof Cluster, execute: () => T): Promise<T> => {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      this.#pending.push({
        name,
        replica: this,
        execute,
        resolve: resolve as (value: unknown) => void,
        reject,
      });
      return promise;
    };
    return {
      readiness: () =>
        call('readiness', () => {
          const row = (name: string, cordoned: boolean) => ({ ready: world.isReady(name), cordoned });
          return new Map(
            [...world.nodes].map(([name, n]) => [name, row(name, n.spec?.unschedulable === true)]),
          );
        }),
      locks: () => call('locks', () => [...world.locks.values()]),
      node: (name) => call('node', () => world.nodes.get(name)),
      state: (name) => call('state', () => world.states.get(name)),
      pods: (node) => call('pods', () => world.pods.get(node) ?? []),
      crew: (namespace) => call('crew', () => world.podsIn(namespace)),
      daemonSetExists: () => call('daemonSetExists', () => true),
      writeLock: (of, status) => call('writeLock', () => world.writeLock(of, structuredClone(status))),
      patchNode: (of, unschedulable, annotations) =>
        call('patchNode', () => world.patchNode(of, unschedulable, annotations)),
      applyConditions: () => Promise.reject(new Error('no conditions in this simulation')),
      applyReboot: (of, reboot) => call('applyReboot', () => world.applyReboot(of, structuredClone(reboot))),
      evict: (pod) => call('evict', () => evict(world, pod)),
      remove: (pod) => call('remove', () => world.removePod(pod.metadata.uid)),
    };
  }
}

/** Every fourth eviction is refused by a budget; counted by themselves, as steps may come in the same rhythm. */
function evict(world: World, pod: Pod): void {
  world.evictions += 1;
  if (world.evictions % 4 === 0) throw failure('TooManyRequests', 429);
  world.mayEvict(pod);
  world.removePod(pod.metadata.uid);
}

function lagging(world: World) {
  const seen = {
    nodes: [...world.nodes.values()],
    states: [...world.states.values()],
    locks: [...world.locks.values()],
  };
  return {
    refresh(kind: 'nodes' | 'states' | 'locks') {
      // World objects are replaced, never changed, so holding them is a snapshot.
      if (kind === 'nodes') seen.nodes = [...world.nodes.values()];
      if (kind === 'states') seen.states = [...world.states.values()];
      if (kind === 'locks') seen.locks = [...world.locks.values()];
    },
    nodes: () => seen.nodes,
    states: () => seen.states,
    locks: () => seen.locks,
    groups: () => world.groups,
    windows: () => world.windows,
    stale: () => undefined,
  };
}
