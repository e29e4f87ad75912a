import type { Pod } from '#api/meta.ts';
import type { Self } from '../drain/crew.ts';
import { failure, type World } from './world.ts';

/** What a replica of the operator is told about itself. */
export interface Place {
  self: Self;
  ownNode: string;
}

export interface CrewOptions {
  replicas: number;
  /** The kubelet ends pods for good when its node goes down, so that they are scheduled anew; else they restart. */
  graceful: boolean;
  start: (place: Place) => void;
  end: (pod: string) => void;
}

const NAMESPACE = 'careen-system';

/**
 * The operator's own pods on the simulated nodes: a Deployment with a PodDisruptionBudget, a scheduler that heeds
 * cordons, and kubelets. A replica runs exactly while its pod is on a node that is up.
 */
export class Crew {
  readonly #world: World;
  readonly #options: CrewOptions;
  readonly #running = new Set<string>();
  #count = 0;

  constructor(world: World, options: CrewOptions) {
    this.#world = world;
    this.#options = options;
    world.mayEvict = (pod) => this.#mayEvict(pod);
  }

  /** Brings about what a Deployment, a scheduler and kubelets would. */
  settle(isRebooting: (node: string) => boolean): void {
    const { replicas, graceful, start, end } = this.#options;
    const world = this.#world;
    for (const pod of this.#bound()) {
      const node = pod.spec?.nodeName ?? '';
      if (!world.isReady(node) && graceful && isRebooting(node)) world.removePod(pod.metadata.uid);
    }
    const up = new Map(this.#bound().map((pod) => [pod.metadata.name, pod.spec?.nodeName ?? '']));
    for (const name of this.#running) {
      if (world.isReady(up.get(name) ?? '')) continue;
      this.#running.delete(name);
      end(name);
    }
    while (this.#bound().length + world.pending.length < replicas) world.pending.push(this.#newPod());
    world.pending.splice(0).forEach((pod) => this.#schedule(pod));
    for (const { metadata, spec } of this.#bound()) {
      const ownNode = spec?.nodeName ?? '';
      if (this.#running.has(metadata.name) || !world.isReady(ownNode)) continue;
      this.#running.add(metadata.name);
      start({ self: { namespace: NAMESPACE, pod: metadata.name }, ownNode });
    }
  }

  #bound(): Pod[] {
    return [...this.#world.pods.values()].flat().filter(({ metadata }) => metadata.namespace === NAMESPACE);
  }

  #schedule(pod: Pod): void {
    const world = this.#world;
    const crew = new Set(this.#bound().map(({ spec }) => spec?.nodeName));
    const free = [...world.nodes.keys()].filter(
      (name) => world.nodes.get(name)?.spec?.unschedulable !== true && world.isReady(name),
    );
    const node = free.find((name) => !crew.has(name)) ?? free[0];
    if (node === undefined) world.pending.push(pod);
    else world.pods.set(node, [...(world.pods.get(node) ?? []), { ...pod, spec: { nodeName: node } }]);
  }

  #newPod(): Pod {
    this.#count += 1;
    const name = `operator-${this.#count}`;
    const labels = { 'app.kubernetes.io/part-of': 'careen', 'app.kubernetes.io/name': 'careen-reboot-lock' };
    const ownerReferences = [
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'r', controller: true },
    ];
    const conditions = [{ type: 'Ready', status: 'True' as const }];
    return {
      metadata: { name, namespace: NAMESPACE, uid: name, labels, ownerReferences },
      status: { phase: 'Running', conditions },
    };
  }

  /** maxUnavailable 1, where there are several. */
  #mayEvict({ metadata }: Pod): void {
    const { replicas } = this.#options;
    if (metadata.namespace !== NAMESPACE || replicas === 1) return;
    const serving = this.#bound().filter((pod) => this.#running.has(pod.metadata.name));
    if (serving.length < replicas) throw failure('TooManyRequests', 429);
  }
}
