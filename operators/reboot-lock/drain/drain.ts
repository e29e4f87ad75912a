import type { DrainPolicy } from '#api/node-group.ts';
import type { Pod } from '#api/meta.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { standbyOf, type Self } from './crew.ts';
import { controllerOf, daemonSetOf } from './filter.ts';
import { planDrain, type Attempt, type DrainInput, type DrainPlan, type DrainState } from './plan.ts';
import { readRefusal, type Answer } from './refusal.ts';

/** Evictions under way at once for one node. */
const PARALLEL = 8;
const FIRST_RETRY_MS = 1_000;

export interface DrainOptions {
  cluster: Cluster;
  node: string;
  /** Epoch milliseconds. */
  now: () => number;
  /** The pod that this operator runs in, if it runs in one. */
  self?: Self | undefined;
  /** Whether careen is about to take the node down, or has. */
  held: (node: string) => boolean;
}

type Refusal = Extract<Answer, { blocked: string }>;

/**
 * The drain of one node, one pass at a time: list what is on the node now, evict what may be tried now. All that
 * it remembers is when each pod was last refused, so another process goes on where this one stopped.
 */
export class Drain {
  readonly #options: DrainOptions;
  readonly #attempts = new Map<string, Attempt>();
  /** Whether each DaemonSet that a pod names exists. */
  readonly #daemonSets = new Map<string, boolean>();

  /** Since when nothing but careen's own operators is left on the node. */
  #crewSince: number | undefined;

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  /** One pass. `force` deletes without asking the pods' budgets. */
  async pass(policy: DrainPolicy, force: boolean): Promise<DrainState> {
    const { cluster, node, self, now } = this.#options;
    const pods = await cluster.pods(node);
    const missing = await this.#missingDaemonSets(pods);
    const input = { pods, policy, missing, force, self, attempts: this.#attempts };
    const crew = await this.#crew(planDrain({ ...input, now: now() }));
    const { evict } = planDrain({ ...input, ...crew, now: now() });
    for (let first = 0; first < evict.length; first += PARALLEL) {
      const batch = evict.slice(first, first + PARALLEL);
      await Promise.all(batch.map((pod) => this.#evict(pod, policy.gracePeriodSeconds, force)));
    }
    return stateOf(planDrain({ ...input, ...crew, now: now() }));
  }

  /** What has to be known when careen's operators are all that is left. */
  async #crew({ crewOnly, own }: DrainPlan): Promise<Pick<DrainInput, 'crewSince' | 'standby'>> {
    const { cluster, self, held, now } = this.#options;
    this.#crewSince = crewOnly ? (this.#crewSince ?? now()) : undefined;
    const crewSince = this.#crewSince;
    if (own === undefined || self === undefined) return { crewSince };
    return { crewSince, standby: standbyOf(own, await cluster.crew(self.namespace), held) };
  }

  async #evict(pod: Pod, grace: number | undefined, force: boolean): Promise<void> {
    const uid = pod.metadata.uid ?? '';
    try {
      const { cluster } = this.#options;
      await (force ? cluster.remove(pod, grace) : cluster.evict(pod, grace));
      this.#attempts.delete(uid);
    } catch (error) {
      const answer = readRefusal(error);
      if ('gone' in answer) this.#attempts.delete(uid);
      else this.#refused(uid, pod, answer);
    }
  }

  /** Waits double from a second up to what the refusal asks for. */
  #refused(uid: string, { metadata }: Pod, { blocked, retryMs, soon }: Refusal): void {
    const now = this.#options.now();
    const since = this.#attempts.get(uid)?.since ?? now;
    const wait = soon ? Math.min(retryMs, Math.max(FIRST_RETRY_MS, now - since)) : retryMs;
    const why = blocked.replace('PodDisruptionBudget ', `PodDisruptionBudget ${metadata.namespace}/`);
    this.#attempts.set(uid, { since, notBefore: now + wait, why });
  }

  async #missingDaemonSets(pods: readonly Pod[]): Promise<Set<string>> {
    const missing = new Set<string>();
    for (const pod of pods) {
      const controller = controllerOf(pod);
      if (controller?.kind !== 'DaemonSet') continue;
      const key = daemonSetOf(pod, controller);
      const namespace = pod.metadata.namespace ?? '';
      const exists =
        this.#daemonSets.get(key) ??
        (await this.#options.cluster.daemonSetExists(namespace, controller.name));
      this.#daemonSets.set(key, exists);
      if (!exists) missing.add(key);
    }
    return missing;
  }
}

function stateOf({ done, remaining, blocked, lift }: DrainPlan): DrainState {
  return {
    done,
    remaining,
    ...(blocked === undefined ? {} : { blocked }),
    ...(lift === undefined ? {} : { lift }),
  };
}
