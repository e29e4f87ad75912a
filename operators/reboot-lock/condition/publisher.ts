import { CORDON_ANNOTATION } from '#api/group.ts';
import type { Node } from '#api/meta.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { ReconcileContext, ReconcileResult } from '#runtime/controller/controller.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { View } from '../cluster/view.ts';
import { ourConditions, sameConditions, wantedConditions } from './condition.ts';

export interface PublisherOptions {
  /** Off: conditions of an operator that had them on are removed, and none is set. */
  on: boolean;
  view: View;
  cluster: Cluster;
  node: (name: string) => Node | undefined;
}

/** When another tool has set a condition of the type that we would set; it is looked at again after so long. */
const OCCUPIED_MS = 30_000;

/** Keeps our conditions on each Node as its turn wants them; what a leader that died left is corrected as well. */
export class Publisher {
  readonly #options: PublisherOptions;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Whether there is anything to do for the node, as far as the caches know. */
  concerns(node: Node): boolean {
    const ours = node.metadata.annotations?.[CORDON_ANNOTATION] !== undefined;
    return (this.#options.on && ours) || ourConditions(node).length > 0;
  }

  async publish(name: string, { log }: Pick<ReconcileContext, 'log'>): Promise<ReconcileResult> {
    const { on, view, cluster } = this.#options;
    const cached = this.#options.node(name);
    const facts = view.cached().nodes.find((one) => one.name === name);
    if (cached === undefined || facts === undefined) return undefined;
    const found = ourConditions(view.nodes.pick(cached));
    const wanted = on ? wantedConditions(facts) : [];
    if (sameConditions(found, wanted)) return undefined;
    const now = new Date(view.now()).toISOString();
    const since = (type: string) => found.find((one) => one.type === type)?.lastTransitionTime ?? now;
    const conditions = wanted.map((one) => ({
      ...one,
      lastTransitionTime: since(one.type),
      lastHeartbeatTime: now,
    }));
    try {
      view.nodes.put(await cluster.applyConditions(facts, conditions));
      view.changed();
      return undefined;
    } catch (error) {
      if (isKubeError(error, 'Conflict')) return { requeueAfterMs: OCCUPIED_MS };
      if (on || !isKubeError(error, 'Forbidden')) throw error;
      log.warn('conditions of an earlier operator stay: the right to remove them was taken away', {
        node: name,
        error,
      });
      return undefined;
    }
  }
}
